import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

extension PodSandbox {
    private static let startTimeout = Duration.seconds(30)

    func requireRunning(_ id: String) throws {
        let record = try container(id).record
        guard record.isRunning else {
            throw CarpelError(
                .failedPrecondition, "containerNotRunning",
                "the container is \(record.state.rawValue); a command can run only in a running one")
        }
    }

    func openExec(
        _ id: String, command: [String], tty: Bool, _ wanted: StreamChannels
    ) async throws -> any PodStream {
        try requireRunning(id)
        let guest = try running().guest
        let process = execProcess(command: command, container: try container(id).record.guestSpec(), terminal: tty)
        let spec = ExecSpec(id: makeID(), container: id, process: process, stdin: wanted.stdin)
        return try await translated("run \(command.first ?? "") in the container") {
            let process: any GuestExec = try await withDeadline(
                Self.startTimeout, reason: "agentSilent", "the agent's answer"
            ) { try await guest.exec(spec) }
            return ExecStream(process, wanted)
        }
    }
}

/// A command in a container, for one client. It does not outlive this.
private final class ExecStream: PodStream {
    private static let sighup: Int32 = 1
    /// How long a command may take to end after its client has gone.
    private static let hangUpTimeout = Duration.seconds(2)

    private let process: any GuestExec
    private let wanted: StreamChannels

    init(_ process: any GuestExec, _ wanted: StreamChannels) {
        self.process = process
        self.wanted = wanted
    }

    func read() async throws -> [StreamFrame]? {
        try await translated("read what the command writes") {
            try await process.next().map { wanted.frames($0.bytes, isError: $0.channel == .stderr) }
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        guard wanted.stdin else { return }
        try await translated("write to the command") { try await process.write(bytes) }
    }

    func endInput() async throws { try await process.closeInput() }

    func resize(_ size: TerminalSize) async throws {
        try await translated("set the size of the terminal") {
            try await process.resize(rows: size.height, columns: size.width)
        }
    }

    func exitCode() async throws -> Int32 {
        try await translated("wait for the command") { try await process.exitStatus().code }
    }

    /// As a terminal's end does: the end of its input, SIGHUP, and SIGKILL for what is left.
    func hangUp() async {
        let process = process
        try? await withDeadline(Self.hangUpTimeout, reason: "hangUpTimeout", "the command's end") {
            try await process.closeInput()
            try await process.signal(Self.sighup)
            // Nobody wants it any more, but what waits for its output to be read does not end.
            while try await process.next() != nil {}
        }
        try? await withDeadline(Self.hangUpTimeout, reason: "agentSilent", "the agent's answer") {
            try await process.signal(9)
        }
    }
}
