import CarpelCore
import CarpelGuestProtocol

/// The stdin of a container's first process. The agent gives it to one writer: everybody who is attached shares this.
actor ContainerInput {
    /// How long the agent may take to let go of the writer before, whose end it learns of in its own time.
    private static let openTimeout = Duration.seconds(10)

    private let container: String
    private let guest: any Guest
    private let started: Latch<Void>
    /// The end of what is written ends the container's stdin.
    nonisolated let closesAtEnd: Bool
    private var opening: Task<GuestInput, any Error>?

    init(of container: String, closesAtEnd: Bool, guest: any Guest, started: Latch<Void>) {
        self.container = container
        self.closesAtEnd = closesAtEnd
        self.guest = guest
        self.started = started
    }

    deinit { opening?.cancel() }

    /// Waits until the container has been started and reads.
    func write(_ bytes: [UInt8]) async throws { try await opened().write(bytes) }

    /// Does nothing where the container's stdin stays open for those who come later.
    func end() async throws {
        guard closesAtEnd else { return }
        try await opened().end()
    }

    private func opened() async throws -> GuestInput {
        try await started.wait()
        let task =
            opening
            ?? Task { [container, closesAtEnd, guest] in
                try await Self.open(container, closesAtEnd, guest)
            }
        opening = task
        do {
            return try await task.value
        } catch {
            opening = nil
            throw error
        }
    }

    private static func open(
        _ container: String, _ closesAtEnd: Bool, _ guest: any Guest
    ) async throws -> GuestInput {
        try await withDeadline(openTimeout, reason: "agentSilent", "opening the container's stdin") {
            while true {
                do {
                    return try await guest.attachInput(to: container, closeAtEnd: closesAtEnd)
                } catch let failure as GuestFailure where failure.reason == .alreadyExists {
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }
}
