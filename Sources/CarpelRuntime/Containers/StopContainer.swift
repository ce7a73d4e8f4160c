import CarpelCore
import CarpelGuestProtocol
import CarpelImages

extension PodSandbox {
    private static let sigkill: Int32 = 9
    /// How long the guest may take to report the end of a killed container.
    private static let killTimeout = Duration.seconds(10)

    /// Asks the container's process to end, and kills the container after `graceSeconds`.
    /// A container that does not run is stopped already.
    func stopContainer(_ id: String, graceSeconds: Int64) async throws {
        guard case .ready(let running) = state else { return }
        try await stopContainer(id, graceSeconds: graceSeconds, in: running)
    }

    func stopContainer(_ id: String, graceSeconds: Int64, in running: RunningPod) async throws {
        guard let container = containers[id], container.record.mayRun else { return }
        let exit = container.exit
        if graceSeconds > 0 {
            let signal = try await stopSignal(of: container.record)
            try await signalContainer(id, signal, everyProcess: false, in: running)
            if await exits(exit, within: .seconds(min(graceSeconds, 1 << 31))) { return }
        }
        try await withDeadline(Self.killTimeout, reason: "killTimeout", "kill the container") {
            // Again and again: a container that is just being started is not there yet to be killed.
            while !Task.isCancelled {
                try await self.signalContainer(id, Self.sigkill, everyProcess: true, in: running)
                if await self.exits(exit, within: .seconds(1)) { return }
            }
        }
    }

    private nonisolated func exits(_ exit: Latch<ContainerRecord.Exit>, within timeout: Duration) async -> Bool {
        (try? await withDeadline(timeout, reason: "stopTimeout", "stop") { try await exit.wait() }) != nil
    }

    private func signalContainer(_ id: String, _ signal: Int32, everyProcess: Bool, in running: RunningPod) async throws
    {
        do {
            try await running.guest.ask(.signalContainer(id: id, signal: signal, everyProcess: everyProcess))
        } catch let failure as GuestFailure where failure.reason == .invalidState || failure.reason == .notFound {
            // It has exited; the event is on its way.
        } catch {
            throw CarpelError.wrapping(error, during: "stop the container")
        }
    }

    private func stopSignal(of record: ContainerRecord) async throws -> Int32 {
        CarpelRuntime.stopSignal(record.config, image: try await environment.images.image(record.imageID)?.config)
    }
}
