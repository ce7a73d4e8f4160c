import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

extension PodSandbox {
    /// Starts the container's process.
    ///
    /// A process that cannot be started leaves the container exited with `StartError` and the code that
    /// a shell would give: 127 for a command that is not there, 126 for one that is not executable.
    func startContainer(_ id: String) async throws {
        while let checkpointing { _ = await checkpointing.result }
        let container = try container(id)
        guard case .created = container.record.phase else {
            throw CarpelError(
                .failedPrecondition, "containerNotCreated",
                "the container is \(container.record.state.rawValue); only a container that was just created can be started"
            )
        }
        let guest = try running().guest
        containers[id]?.record.phase = .starting
        let start = Task { try await self.start(container, on: guest) }
        containers[id]?.start = start
        defer { containers[id]?.start = nil }
        try await start.value
    }

    private func start(_ container: Container, on guest: any Guest) async throws {
        let id = container.record.id
        do { try await update(id) { $0.phase = .starting } } catch {
            if containers[id]?.record.phase == .starting { containers[id]?.record.phase = .created }
            throw error
        }
        do {
            guard case .started(_, let since) = try await guest.ask(.startContainer(id: id)) else {
                throw CarpelError(.internal, "unexpectedAnswer", "the agent did not say that the container started")
            }
            try await noteStart(id, at: Int64(since))
        } catch let failure as GuestFailure {
            let error = failure.error(during: "start the container \(container.record.config.metadata?.name ?? id)")
            await noteExit(id, .init(failure, message: error.message))
            throw error
        }
        follow(id)
    }

    /// The exit may have been reported before the answer to the start.
    private func noteStart(_ id: String, at since: Int64) async throws {
        try await update(id) {
            switch $0.phase {
            case .starting: $0.phase = .running(since: since)
            case .exited(var exit):
                exit.startedAt = since
                $0.phase = .exited(exit)
            default: break
            }
        }
        await containers[id]?.started.set(())
    }
}

extension ContainerRecord.Exit {
    init(_ failure: GuestFailure, message: String) {
        let code: Int32 =
            switch failure.reason {
            case .commandNotFound: 127
            case .commandNotExecutable: 126
            default: 128
            }
        self.init(code: code, startedAt: 0, finishedAt: now(), reason: "StartError", message: message)
    }
}
