import CarpelAPI

/// The pod's end of a byte stream. One task reads, another one writes.
public protocol PodStream: Sendable {
    /// What comes next from the pod, as frames; nil when all has come. What is not read, the pod does not send.
    ///
    /// - Throws: `CarpelError`.
    func read() async throws -> [StreamFrame]?

    /// Gives the pod what the client sent, and waits while it does not take it.
    func write(_ bytes: [UInt8]) async throws

    /// The client has sent all it will.
    func endInput() async throws

    func resize(_ size: TerminalSize) async throws

    /// How it ended. Known once `read` has given nil.
    func exitCode() async throws -> Int32

    /// The client is gone.
    func hangUp() async
}
