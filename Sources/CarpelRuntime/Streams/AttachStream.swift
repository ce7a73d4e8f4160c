import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import Foundation
import Synchronization

extension PodSandbox {
    /// - Throws: `CarpelError` if the container cannot be attached to so.
    func checkAttach(_ id: String, tty: Bool, _ wanted: StreamChannels) throws {
        let record = try container(id).record
        guard record.isRunning || record.phase == .created || record.phase == .starting else {
            throw CarpelError(
                .failedPrecondition, "containerNotRunning",
                "the container is \(record.state.rawValue); attach to one that runs or is about to be started")
        }
        guard record.config.tty == tty else {
            throw CarpelError.invalid(
                "tty", "the container was created \(tty ? "without" : "with") a terminal; set tty to the same",
                reason: "ttyMismatch")
        }
        guard !wanted.stdin || record.config.stdin else {
            throw CarpelError(
                .failedPrecondition, "stdinNotOpen",
                "the container was created without stdin; leave stdin out, or create it with stdin", field: "stdin")
        }
    }

    func openAttach(_ id: String, tty: Bool, _ wanted: StreamChannels) async throws -> any PodStream {
        try checkAttach(id, tty: tty, wanted)
        let guest = try running().guest
        if try container(id).record.isRunning { try await container(id).started.set(()) }
        let (next, output) = try await followFromNow(id, guest)
        let container = try container(id)
        let input = wanted.stdin ? input(of: container, guest) : nil
        return AttachStream(container, guest, output, from: next, input, wanted)
    }

    private nonisolated func followFromNow(_ id: String, _ guest: any Guest) async throws -> (UInt64, GuestOutput) {
        try await translated("attach to the container") {
            guard case .state(let state) = try await guest.ask(.state),
                let next = state.containers.first(where: { $0.id == id })?.nextOutput
            else { throw CarpelError.containerNotFound(id) }
            let output = try await withDeadline(.seconds(30), reason: "agentSilent", "the agent's answer") {
                try await guest.follow(id, from: next)
            }
            return (next, output)
        }
    }

    /// The one that others are attached to already, or a new one.
    private func input(of container: Container, _ guest: any Guest) -> ContainerInput {
        if let input = container.input { return input }
        let config = container.record.config
        // The stdin of a terminal is the terminal, which goes on.
        let input = ContainerInput(
            of: container.record.id, closesAtEnd: config.stdinOnce && !config.tty, guest: guest,
            started: container.started)
        containers[container.record.id]?.input = input
        return input
    }
}

/// A client at a container's first process: its output from now on, and its stdin. The container does not notice when
/// it goes, unless it was created with `stdinOnce`: that closes its stdin.
private final class AttachStream: PodStream {
    private let container: Container
    private let guest: any Guest
    private let output: GuestOutput
    private let input: ContainerInput?
    private let wanted: StreamChannels
    /// The number of the next record of output.
    private let next: Mutex<UInt64>
    private let failure: Task<Void, any Error>

    init(
        _ container: Container, _ guest: any Guest, _ output: GuestOutput, from next: UInt64, _ input: ContainerInput?,
        _ wanted: StreamChannels
    ) {
        self.container = container
        self.guest = guest
        self.output = output
        self.input = input
        self.wanted = wanted
        self.next = Mutex(next)
        failure = Task {
            // What was never started has no output that would end.
            if try await container.exit.wait().reason == "StartError" { output.stop() }
        }
    }

    deinit { failure.cancel() }

    func read() async throws -> [StreamFrame]? {
        do {
            guard let record = try await output.next() else { return await missedAtEnd() }
            let frames = wanted.frames(record.bytes, isError: record.channel == .stderr)
            return notice(before: record.sequence, going: record.sequence &+ 1) + frames
        } catch is CancellationError where !Task.isCancelled {
            return nil
        } catch {
            throw CarpelError.wrapping(error, during: "read what the container writes")
        }
    }

    /// What was dropped behind the last record that came.
    private func missedAtEnd() async -> [StreamFrame]? {
        guard case .state(let state)? = try? await guest.ask(.state),
            let container = state.containers.first(where: { $0.id == container.record.id })
        else { return nil }
        let notice = notice(before: container.nextOutput, going: container.nextOutput)
        return notice.isEmpty ? nil : notice
    }

    /// Tells of what lies between the last record that came and `sequence`, and goes on at `following`.
    private func notice(before sequence: UInt64, going following: UInt64) -> [StreamFrame] {
        let missed = next.withLock { next in
            defer { next = following }
            return sequence - min(next, sequence)
        }
        guard missed > 0, let text = try? JSONEncoder().encode(StreamNotice(missed: missed)) else { return [] }
        return [StreamFrame(.notice, Array(text))]
    }

    func write(_ bytes: [UInt8]) async throws {
        try await translated("write to the container's stdin") { try await input?.write(bytes) }
    }

    func endInput() async throws {
        try await translated("end the container's stdin") { try await input?.end() }
    }

    func resize(_ size: TerminalSize) async throws {
        try await translated("set the size of the terminal") {
            try await container.started.wait()
            try await guest.ask(
                .resizeContainer(id: container.record.id, rows: size.height, columns: size.width))
        }
    }

    func exitCode() async throws -> Int32 {
        try await withDeadline(.seconds(10), reason: "exitUnknown", "the container's exit") { [container] in
            try await container.exit.wait().code
        }
    }

    func hangUp() async {
        output.stop()
        guard let input, input.closesAtEnd else { return }
        try? await withDeadline(.seconds(10), reason: "agentSilent", "closing the container's stdin") {
            try await input.end()
        }
    }
}
