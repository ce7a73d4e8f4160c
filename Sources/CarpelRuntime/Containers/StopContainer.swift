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
            let exited = try? await withDeadline(.seconds(min(graceSeconds, 1 << 31)), reason: "stopTimeout", "stop") {
                try await exit.wait()
            }
            if exited != nil { return }
        }
        try await signalContainer(id, Self.sigkill, everyProcess: true, in: running)
        _ = try await withDeadline(Self.killTimeout, reason: "killTimeout", "kill the container") {
            try await exit.wait()
        }
    }

    private func signalContainer(_ id: String, _ signal: Int32, everyProcess: Bool, in running: RunningPod) async throws
    {
        do {
            try await running.guest.call(.signalContainer(id: id, signal: signal, everyProcess: everyProcess))
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
