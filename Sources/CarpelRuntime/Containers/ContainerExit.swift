import CarpelCore
import CarpelGuestProtocol

extension PodSandbox {
    /// How long an exit waits for the last of the output, so that the log of an exited container is complete.
    private static let outputTimeout = Duration.seconds(2)

    /// The guest has told of an exit, maybe before the answer to the start.
    func containerEnded(_ id: String, _ status: ExitStatus) async {
        _ = await containers[id]?.start?.result
        await containerExited(id, status)
    }

    private func containerExited(_ id: String, _ status: ExitStatus) async {
        if let follower = containers[id]?.follower {
            try? await withDeadline(Self.outputTimeout, reason: "outputTimeout", "read the last output") {
                try await follower.end.wait()
            }
        }
        let startedAt: Int64 = if case .running(let since) = containers[id]?.record.phase { since } else { 0 }
        await noteExit(
            id,
            .init(
                code: status.code, startedAt: startedAt, finishedAt: Int64(status.at),
                reason: status.outOfMemory ? "OOMKilled" : status.code == 0 ? "Completed" : "Error", message: ""))
    }

    /// Notes the first exit that is known of; whoever waits for it is woken even if the disk is full.
    func noteExit(_ id: String, _ exit: ContainerRecord.Exit) async {
        guard let container = containers[id] else { return }
        switch container.record.phase {
        case .starting, .running:
            do { try await update(id) { $0.phase = .exited(exit) } } catch {
                logger.error("cannot store an exit", metadata: ["container": "\(id.prefix(13))", "cause": "\(error)"])
            }
        default: break
        }
        await container.exit.set(exit)
    }

    /// The machine is gone, and every running container with it.
    func containersLostMachine(_ cause: String) async {
        for (id, container) in containers {
            container.follower?.task.cancel()
            switch container.record.phase {
            case .running(let since):
                await noteExit(
                    id, .init(code: 255, startedAt: since, finishedAt: now(), reason: "MachineFailed", message: cause))
            case .starting:
                await noteExit(
                    id, .init(code: 255, startedAt: 0, finishedAt: now(), reason: "MachineFailed", message: cause))
            default: break
            }
        }
    }

    /// Brings the records to what the guest says, after a time without connection.
    func reconcile(with guest: GuestState) async {
        let known = Dictionary(guest.containers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for (id, container) in containers {
            let guest = known[id]
            if let guest, container.record.mayRun || guest.nextOutput > UInt64(container.record.nextOutput) {
                follow(id)
            }
            switch (container.record.phase, guest?.phase) {
            case (.starting, .running(_, let since)):
                try? await update(id) { $0.phase = .running(since: Int64(since)) }
            case (.starting, .exited(let status, let started)), (.running, .exited(let status, let started)):
                if case .starting = container.record.phase {
                    try? await update(id) { $0.phase = .running(since: Int64(started)) }
                }
                await containerExited(id, status)
            case (.starting, .created):
                try? await update(id) { $0.phase = .created }
            case (.starting, nil), (.running, nil):
                await noteExit(
                    id,
                    .init(
                        code: 255, startedAt: 0, finishedAt: now(), reason: "MachineFailed",
                        message: "the guest does not know the container"))
            default: break
            }
        }
    }
}
