import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

extension Runtime {
    /// - Throws: `NOT_FOUND`; `FAILED_PRECONDITION`/`containerNotRunning`, since only what runs uses anything;
    ///   `DEADLINE_EXCEEDED`/`agentSilent` if its pod's guest is stuck.
    public func containerStats(_ request: ContainerStatsRequest) async throws -> ContainerStatsResponse {
        let (pod, id) = try await requireContainer(request.containerId)
        let record = try await pod.container(id).record
        guard record.isRunning else { throw CarpelError.containerNotRunning(record) }
        let stats = try await pod.read().containerStats.first { $0.attributes?.id == id }
        guard let stats else { throw CarpelError.containerNotRunning(record) }
        return ContainerStatsResponse { $0.stats = stats }
    }

    /// Of the containers that run, the newest first. Those of a pod that does not answer are left out.
    public func listContainerStats(_ request: ListContainerStatsRequest) async throws -> ListContainerStatsResponse {
        let filter = request.filter ?? ContainerStatsFilter()
        var wanted: [PodSandbox] = []
        for pod in pods.values where await pod.containers.values.contains(where: { filter.matches($0.record) }) {
            wanted.append(pod)
        }
        let found = await readings(of: wanted).flatMap { reading in
            zip(reading.containers.map(\.record), reading.containerStats).filter { filter.matches($0.0) }
        }
        return ListContainerStatsResponse {
            $0.stats = found.sorted { $0.0.createdAt > $1.0.createdAt }.map(\.1)
        }
    }
}

extension ContainerStatsFilter {
    fileprivate func matches(_ record: ContainerRecord) -> Bool {
        record.isRunning && (id.isEmpty || record.id.hasPrefix(id))
            && (podSandboxId.isEmpty || record.podID.hasPrefix(podSandboxId))
            && labelSelector.allSatisfy { record.config.labels[$0.key] == $0.value }
    }
}

extension PodReading {
    var containerStats: [ContainerStats] {
        containers.map { record, stats in
            ContainerStats {
                $0.attributes = ContainerAttributes {
                    $0.id = record.id
                    $0.metadata = record.config.metadata
                    $0.labels = record.config.labels
                    $0.annotations = record.config.annotations
                }
                $0.cpu = CpuUsage(stats.usage, rate: rates[record.id], time: time)
                $0.memory = MemoryUsage(stats.usage, limit: stats.usage.memory.limit, time: time)
                $0.writableLayer = stats.writableLayer.map { FilesystemUsage($0, in: folder) }
                $0.swap = SwapUsage(stats.usage.memory, time: time)
                $0.io = IoUsage(stats.usage, time: time)
            }
        }
    }
}

extension FilesystemUsage {
    fileprivate init(_ layer: GuestStats.WritableLayer, in folder: String) {
        self.init()
        timestamp = Int64(clamping: layer.time)
        fsId = FilesystemIdentifier { $0.mountpoint = folder }
        usedBytes = number(layer.bytes)
        inodesUsed = number(layer.inodes)
    }
}

extension CarpelError {
    fileprivate static func containerNotRunning(_ record: ContainerRecord) -> CarpelError {
        CarpelError(
            .failedPrecondition, "containerNotRunning",
            "the container is \(record.state.rawValue); only one that runs uses anything")
    }
}
