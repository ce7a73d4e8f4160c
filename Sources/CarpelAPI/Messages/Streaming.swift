// Exec, Attach and PortForward prepare a stream of bytes; OpenStream, on a connection of its own, begins it.

/// One of `stdin`, `stdout` and `stderr` at least; with `tty` not `stderr`, since a terminal has one output.
public struct ExecRequest: ProtoMessage {
    @Field public var containerId: String
    @Field public var cmd: [String]
    @Field public var tty: Bool
    @Field public var stdin: Bool
    @Field public var stdout: Bool
    @Field public var stderr: Bool
    public init() {}
}

public struct ExecResponse: ProtoMessage {
    /// What OpenStream takes, once and soon.
    @Field public var url: String
    public init() {}
}

/// One of `stdin`, `stdout` and `stderr` at least; with `tty` not `stderr`, since a terminal has one output.
public struct AttachRequest: ProtoMessage {
    @Field public var containerId: String
    @Field public var stdin: Bool
    /// As in the container's config.
    @Field public var tty: Bool
    @Field public var stdout: Bool
    @Field public var stderr: Bool
    public init() {}
}

public struct AttachResponse: ProtoMessage {
    /// What OpenStream takes, once and soon.
    @Field public var url: String
    public init() {}
}

public struct PortForwardRequest: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var port: [Int32]
    public init() {}
}

public struct PortForwardResponse: ProtoMessage {
    /// What OpenStream takes, once and soon.
    @Field public var url: String
    public init() {}
}

/// Carpel's own: turns the connection into the stream that Exec, Attach or PortForward prepared.
public struct OpenStreamRequest: ProtoMessage {
    /// From the answer of Exec, Attach or PortForward.
    @Field public var url: String
    public init() {}
}
