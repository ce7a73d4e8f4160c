import CarpelAPI
import CarpelCore

extension Runtime {
    /// Prepares a command in a running container. It starts when its stream is opened.
    public func exec(_ request: ExecRequest) async throws -> ExecResponse {
        try validate(command: request.cmd, at: "cmd")
        let wanted = try StreamChannels(
            stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty)
        let (pod, id) = try await requireContainer(request.containerId)
        try await pod.requireRunning(id)
        let url = try pendingStreams.add {
            try await pod.openExec(id, command: request.cmd, tty: request.tty, wanted)
        }
        return ExecResponse { $0.url = url }
    }

    /// Prepares to attach to a container that runs or is about to be started.
    public func attach(_ request: AttachRequest) async throws -> AttachResponse {
        let wanted = try StreamChannels(
            stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty)
        let (pod, id) = try await requireContainer(request.containerId)
        try await pod.checkAttach(id, tty: request.tty, wanted)
        let url = try pendingStreams.add { try await pod.openAttach(id, tty: request.tty, wanted) }
        return AttachResponse { $0.url = url }
    }

    /// Prepares one connection to one port of the pod.
    public func portForward(_ request: PortForwardRequest) async throws -> PortForwardResponse {
        guard request.port.count == 1, let port = UInt16(exactly: request.port[0]), port > 0 else {
            throw CarpelError.invalid("port", "name one port, from 1 to 65535: each connection is a call of its own")
        }
        let pod = try requirePod(request.podSandboxId)
        _ = try await pod.running()
        let url = try pendingStreams.add { try await pod.openPort(port) }
        return PortForwardResponse { $0.url = url }
    }

    /// Begins the stream that Exec, Attach or PortForward prepared.
    public func openStream(_ request: OpenStreamRequest) async throws -> any PodStream {
        try await pendingStreams.take(request.url)()
    }
}

/// What a client of Exec or Attach wants to send and to get.
struct StreamChannels: Sendable {
    let stdin: Bool
    private let stdout: Bool
    private let stderr: Bool

    /// - Throws: `CarpelError` where CRI's rules for the four fields are broken.
    init(stdin: Bool, stdout: Bool, stderr: Bool, tty: Bool) throws {
        guard stdin || stdout || stderr else {
            throw CarpelError.invalid("stdout", "one of stdin, stdout and stderr must be true", reason: "noStream")
        }
        guard !tty || !stderr else {
            throw CarpelError.invalid(
                "stderr", "a terminal has one output: with tty leave stderr out and take stdout",
                reason: "stderrOfTerminal")
        }
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }

    /// The frames for some output, none if nobody wants it.
    func frames(_ bytes: [UInt8], isError: Bool) -> [StreamFrame] {
        guard isError ? stderr : stdout else { return [] }
        return StreamFrame.carrying(bytes, on: isError ? .stderr : .stdout)
    }
}
