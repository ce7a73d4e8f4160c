import CarpelAPI
import CarpelCore

extension Runtime {
    /// Starts a pod and answers when it is ready.
    ///
    /// A repetition of a request that is under way joins it, and that of one that has succeeded gets the same id.
    public func runPodSandbox(_ request: RunPodSandboxRequest) async throws -> RunPodSandboxResponse {
        guard let config = request.config else { throw CarpelError.missing("config") }
        try CarpelRuntime.validate(sandbox: config)
        try checkRuntimeHandler(request.runtimeHandler)
        guard let metadata = config.metadata else { throw CarpelError.missing("config.metadata") }
        let name = PodRecord.name(of: metadata)
        let pod = if let pod = pod(named: name) { pod } else { try await makePod(name, request, config) }
        try await checkSameRequest(pod, request, config)
        try await detachedFromCaller { try await self.startOrForget(pod) }
        return RunPodSandboxResponse { $0.podSandboxId = pod.id }
    }

    private func makePod(
        _ name: String, _ request: RunPodSandboxRequest, _ config: PodSandboxConfig
    ) async throws -> PodSandbox {
        let id = makeID()
        let networks = try networkRequests(
            of: config, podID: id, plugins: environment.configuration.networks)
        let volumes = try await volumeRequests(of: config, podID: id)
        // From here on nothing waits, so that a name is reserved in one step.
        if let pod = pod(named: name) { return pod }
        let defaults = environment.configuration.pods
        let size = try machineSize(
            of: config, defaults: (cpus: defaults.defaultVirtualCPUs, memory: defaults.defaultMemory))
        let record = PodRecord(
            id: id, name: name, runtimeHandler: request.runtimeHandler, config: config, createdAt: now(),
            phase: .creating, virtualCPUs: size.virtualCPUs, memoryBytes: size.memory.bytes, timeline: [],
            leftovers: [], networks: networks, volumes: volumes, failure: "")
        let pod = PodSandbox(record, in: environment)
        add(pod, name: name)
        return pod
    }

    private func checkSameRequest(
        _ pod: PodSandbox, _ request: RunPodSandboxRequest, _ config: PodSandboxConfig
    ) async throws {
        let record = await pod.record
        guard record.config == config, record.runtimeHandler == request.runtimeHandler else {
            throw CarpelError(
                .alreadyExists, "podNameTaken",
                "the pod \(pod.id.prefix(13)) has this name, namespace, uid and attempt with another content; "
                    + "remove it or count up config.metadata.attempt", field: "config.metadata")
        }
    }

    private func startOrForget(_ pod: PodSandbox) async throws {
        do {
            try await pod.start().value
        } catch {
            if case .gone = await pod.state { forget(pod.id) }
            throw error
        }
    }

    private func checkRuntimeHandler(_ runtimeHandler: String) throws {
        guard runtimeHandler.isEmpty || runtimeHandler == Self.runtimeHandler else {
            throw CarpelError(
                .invalidArgument, "runtimeHandlerUnknown",
                "there is no runtime handler \"\(runtimeHandler)\"; leave it empty or use \"\(Self.runtimeHandler)\"",
                field: "runtimeHandler")
        }
    }

    static let runtimeHandler = "carpel"
}
