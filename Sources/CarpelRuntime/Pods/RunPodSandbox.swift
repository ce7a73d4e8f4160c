import CarpelAPI
import CarpelCore

extension Runtime {
    /// Starts a pod and answers when it is ready.
    ///
    /// A repetition of a request that is under way joins it, and that of one that has succeeded gets the same id.
    public func runPodSandbox(_ request: RunPodSandboxRequest) async throws -> RunPodSandboxResponse {
        let config = try checked(request.config, runtimeHandler: request.runtimeHandler)
        let pod = try await reservePod(config, runtimeHandler: request.runtimeHandler)
        try await forgettingIfGone(pod) { try await pod.start().value }
        return RunPodSandboxResponse { $0.podSandboxId = pod.id }
    }

    /// - Throws: `CarpelError` with the field that Carpel cannot do.
    func checked(_ config: PodSandboxConfig?, runtimeHandler: String) throws -> PodSandboxConfig {
        guard let config else { throw CarpelError.missing("config") }
        try CarpelRuntime.validate(sandbox: config)
        try checkRuntimeHandler(runtimeHandler)
        return config
    }

    /// The pod that this configuration names: the one that is there if it was made from the same, or a new one.
    ///
    /// - Parameter containers: those that it is to have at once; the machine has room for their limits from the start.
    func reservePod(
        _ config: PodSandboxConfig, runtimeHandler: String, containers: [ContainerConfig] = []
    ) async throws -> PodSandbox {
        guard let metadata = config.metadata else { throw CarpelError.missing("config.metadata") }
        let name = PodRecord.name(of: metadata)
        let pod =
            if let pod = pod(named: name) { pod } else { try await makePod(name, config, containers, runtimeHandler) }
        let record = await pod.record
        guard record.config == config, record.runtimeHandler == runtimeHandler else {
            throw CarpelError(
                .alreadyExists, "podNameTaken",
                "the pod \(pod.id.prefix(13)) has this name, namespace, uid and attempt with another content; "
                    + "remove it or count up config.metadata.attempt", field: "config.metadata")
        }
        return pod
    }

    private func makePod(
        _ name: String, _ config: PodSandboxConfig, _ containers: [ContainerConfig], _ runtimeHandler: String
    ) async throws -> PodSandbox {
        let id = makeID()
        let networks = try networkRequests(
            of: config, podID: id, plugins: environment.configuration.networks)
        let volumes = try await volumeRequests(of: config, podID: id)
        // From here on nothing waits, so that a name is reserved in one step.
        if let pod = pod(named: name) { return pod }
        let defaults = environment.configuration.pods
        let size = try machineSize(
            of: config.linux?.resources ?? LinuxContainerResources(),
            defaults: (cpus: defaults.defaultVirtualCPUs, memory: defaults.defaultMemory))
        let needed = defaults.withinMaximum(neededSize(of: containers.compactMap { $0.linux?.resources }))
        let record = PodRecord(
            id: id, name: name, runtimeHandler: runtimeHandler, config: config, createdAt: now(),
            phase: .creating, virtualCPUs: max(size.virtualCPUs, needed.virtualCPUs),
            memoryBytes: max(size.memory, needed.memory).bytes, timeline: [],
            leftovers: [], networks: networks, volumes: volumes, failure: "")
        let pod = PodSandbox(record, in: environment)
        add(pod, name: name)
        return pod
    }

    /// Carries out a start to its end, also without its caller, and forgets a pod of which nothing is left.
    func forgettingIfGone<Value: Sendable>(
        _ pod: PodSandbox, _ start: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await detachedFromCaller {
            do {
                return try await start()
            } catch {
                if case .gone = await pod.state { await self.forget(pod.id) }
                throw error
            }
        }
    }

    func checkRuntimeHandler(_ runtimeHandler: String) throws {
        guard runtimeHandler.isEmpty || runtimeHandler == Self.runtimeHandler else {
            throw CarpelError(
                .invalidArgument, "runtimeHandlerUnknown",
                "there is no runtime handler \"\(runtimeHandler)\"; leave it empty or use \"\(Self.runtimeHandler)\"",
                field: "runtimeHandler")
        }
    }

    static let runtimeHandler = "carpel"
}
