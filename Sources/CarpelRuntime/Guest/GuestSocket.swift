import CarpelGuestProtocol

/// A connection to a port of the pod. It is closed when nobody holds this any more.
public final class GuestSocket: Sendable {
    private let stream: GuestStream

    init(_ stream: GuestStream) { self.stream = stream }

    deinit { stream.cancel() }

    /// What the port sends next, nil when it has sent all.
    ///
    /// - Throws: `GuestFailure` with `connectionReset` if the other side broke the connection off.
    public func next() async throws -> [UInt8]? {
        if let data = try await stream.next() { return data.bytes }
        if case .failed(let failure) = try await stream.response(1) { throw failure }
        return nil
    }

    /// Waits while the other side does not read.
    public func write(_ bytes: [UInt8]) async throws { try await stream.send(bytes) }

    /// Nothing more will be written. What the port sends still comes.
    public func endInput() { stream.endInput() }

    public func close() { stream.cancel() }
}
