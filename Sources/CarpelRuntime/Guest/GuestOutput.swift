import CarpelGuestProtocol

/// What a container writes, for one reader. Given up when nobody holds this any more.
public final class GuestOutput: Sendable {
    private let stream: GuestStream
    private let owner: StreamOwner

    init(_ stream: GuestStream) {
        self.stream = stream
        owner = StreamOwner(stream)
    }

    /// The next record, nil behind the last of a container that has exited.
    public func next() async throws -> OutputRecord? {
        guard let data = try await owner.cancelling({ try await $0.next() }) else { return nil }
        let record = try CBORDecoder().decode(OutputRecord.self, from: data.bytes)
        try record.checkNumbers()
        return record
    }

    /// Stops; who waits for the next record gets a `CancellationError`.
    public func stop() { stream.cancel() }
}
