import CarpelAPI
import CarpelCore

extension Runtime {
    /// Starts a pod and its containers as one, and answers when the last container has been started.
    ///
    /// What can be known before is checked before anything is made. What fails later takes the pod with it, as a death of
    /// the daemon does: until the last container has been started, the pod is on disk as half made. A repetition of a
    /// request that is under way joins it, and that of one that has succeeded gets the same ids.
    public func runPod(_ request: RunPodRequest) async throws -> RunPodResponse {
        let config = try checked(request.config, runtimeHandler: request.runtimeHandler)
        let containers = try await prepare(request.containerConfigs, in: config)
        let pod = try await reservePod(
            config, runtimeHandler: request.runtimeHandler, containers: request.containerConfigs)
        let ids = try await forgettingIfGone(pod) { try await pod.run(containers).value }
        return RunPodResponse {
            $0.podSandboxId = pod.id
            $0.containerIds = ids
        }
    }

    private func prepare(
        _ configs: [ContainerConfig], in sandbox: PodSandboxConfig
    ) async throws -> [PreparedContainer] {
        guard !configs.isEmpty else { throw CarpelError.missing("containerConfigs") }
        var names: Set<String> = []
        var prepared: [PreparedContainer] = []
        for (index, config) in configs.enumerated() {
            let field = "containerConfigs[\(index)]"
            do {
                let container = try await prepare(config, in: sandbox)
                guard names.insert(container.name).inserted else {
                    throw CarpelError(
                        .invalidArgument, "containerNameTaken", "two containers have the same name and attempt",
                        field: "config.metadata")
                }
                prepared.append(container)
            } catch let error as CarpelError {
                throw error.moved(from: "config", to: field)
            }
        }
        return prepared
    }
}

extension CarpelError {
    /// The same about a message that stands elsewhere in the request.
    fileprivate func moved(from root: String, to place: String) -> CarpelError {
        let field = field.map { $0.hasPrefix(root) ? place + $0.dropFirst(root.count) : $0 }
        return CarpelError(code, reason, "\(place): \(message)", field: field)
    }
}

extension PodSandbox {
    /// A start of the pod together with its containers, while it is under way.
    struct Assembly {
        let configs: [ContainerConfig]
        let task: Task<[String], any Error>
    }

    /// Starts the pod and then `containers` in a task of its own, which every caller can join and a stop of the pod ends.
    ///
    /// - Returns: the task, whose value are the containers' ids in the order of `containers`.
    /// - Throws: `ALREADY_EXISTS` if the pod has been stopped, or has other containers.
    func run(_ containers: [PreparedContainer]) throws -> Task<[String], any Error> {
        let configs = containers.map(\.config)
        if let assembly {
            guard assembly.configs == configs else { throw otherContainers }
            return assembly.task
        }
        guard case .new = state else {
            _ = try start()
            let ids = try containers.map(existing)
            return Task { ids }
        }
        let started = try start()
        let task = Task { try await self.assemble(containers, after: started) }
        assembly = Assembly(configs: configs, task: task)
        return task
    }

    private func existing(_ wanted: PreparedContainer) throws -> String {
        let container = containers.values.first { $0.record.name == wanted.name && $0.record.config == wanted.config }
        guard let container else { throw otherContainers }
        return container.record.id
    }

    private var otherContainers: CarpelError {
        CarpelError(
            .alreadyExists, "podNameTaken",
            "the pod \(id.prefix(13)) has this name, namespace, uid and attempt and other containers; "
                + "remove it or count up config.metadata.attempt", field: "containerConfigs")
    }

    private func assemble(
        _ wanted: [PreparedContainer], after started: Task<Void, any Error>
    ) async throws -> [String] {
        defer { assembly = nil }
        // What fails here undoes itself.
        try await started.value
        do {
            var ids: [String] = []
            for container in wanted {
                ids.append(try await step("create \(container.name)") { try await createContainer(container) })
            }
            for (container, id) in zip(wanted, ids) {
                try await step("start \(container.name)") { try await startContainer(id) }
            }
            _ = try running()
            try await updateRecord { $0.phase = .ready }
            return ids
        } catch {
            throw await undoAssembly(because: endOfPod ?? error)
        }
    }

    /// Why the pod is not ready any more, if it is not.
    private var endOfPod: CarpelError? {
        if case .ready = state { return nil }
        guard record.failure.isEmpty else { return CarpelError(.unavailable, "machineEnded", record.failure) }
        return CarpelError(.cancelled, "cancelled", "the pod was stopped before its last container was started")
    }

    private func undoAssembly(because error: any Error) async -> CarpelError {
        let error = CarpelError.wrapping(error, during: "run the pod \(record.config.metadata?.name ?? id)")
        do { try await remove() } catch let leftover {
            logger.error("a failed start left something behind", metadata: ["leftovers": "\(leftover)"])
        }
        return error
    }
}
