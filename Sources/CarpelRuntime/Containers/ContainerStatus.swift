import CarpelAPI
import CarpelCore
import Foundation

extension Runtime {
    /// - Parameter role: who but admins is not told the values of the environment, which can hold secrets.
    public func containerStatus(
        _ request: ContainerStatusRequest, for role: Role?
    ) async throws -> ContainerStatusResponse {
        let (pod, id) = try await requireContainer(request.containerId)
        await pod.learnUsers()
        let container = try await pod.container(id)
        return try ContainerStatusResponse {
            $0.status = container.status
            if request.verbose {
                $0.info = try container.record.info(for: role, logFailure: container.logFailure)
            }
        }
    }

    public func listContainers(_ request: ListContainersRequest) async throws -> ListContainersResponse {
        var items: [ContainerItem] = []
        for pod in pods.values {
            items += await pod.containers.values.map(\.record.item).filter { request.filter?.matches($0) ?? true }
        }
        return ListContainersResponse { $0.containers = items.sorted { $0.createdAt > $1.createdAt } }
    }
}

extension ContainerFilter {
    fileprivate func matches(_ item: ContainerItem) -> Bool {
        (id.isEmpty || item.id.hasPrefix(id)) && (state.map { $0.state == item.state } ?? true)
            && (podSandboxId.isEmpty || item.podSandboxId.hasPrefix(podSandboxId))
            && labelSelector.allSatisfy { item.labels[$0.key] == $0.value }
    }
}

/// A container's log, for who debugs.
private struct LogInfo: Encodable {
    var path: String
    /// What the agent had to drop while nobody listened.
    var lostRecords: Int64
    var lostBytes: Int64
    /// Why output waits for the log; absent if it does not.
    var failure: String?
}

extension ContainerRecord {
    /// JSON texts by name, for who debugs.
    fileprivate func info(for role: Role?, logFailure: String?) throws -> [String: String] {
        var config = config
        var spec = try guestSpec()
        if role != .admin {
            for index in config.envs.indices { config.envs[index].value = Data() }
            spec.process.environment = spec.process.environment.map { String($0.prefix { $0 != "=" }) }
        }
        // A program for the kernel, not for people.
        spec.process.seccompProgram = []
        return [
            "config": try jsonText(config),
            "fieldsWithoutEffect": try jsonText(fieldsWithoutEffect(of: config)),
            "guest": try jsonText(spec),
            "layers": try jsonText(layers),
            "log": try jsonText(
                LogInfo(path: logPath, lostRecords: lostRecords, lostBytes: lostBytes, failure: logFailure)),
        ]
    }
}
