import CarpelCore
import CarpelGuestProtocol
import NIOCore
import Synchronization

/// The open streams of one connection, and the events, which have none.
final class GuestStreams: Sendable {
    private struct State {
        var streams: [UInt32: GuestStream] = [:]
        var next: UInt32 = 1
        var closed: CarpelError?
    }

    let events: AsyncStream<GuestEvent>
    private let eventSink: AsyncStream<GuestEvent>.Continuation
    private let state = Mutex(State())

    /// More than that, unread, no honest agent has to tell.
    private static let maximumEvents = 4096

    init() {
        (events, eventSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.maximumEvents))
    }

    func open(_ transmit: @escaping @Sendable (Frame) -> Void) throws -> GuestStream {
        try state.withLock { state in
            if let closed = state.closed { throw closed }
            while state.next == 0 || state.streams[state.next] != nil { state.next &+= 1 }
            let stream = GuestStream(id: state.next, transmit: transmit)
            state.streams[state.next] = stream
            state.next &+= 1
            return stream
        }
    }

    var count: Int { state.withLock { $0.streams.count } }

    subscript(id: UInt32) -> GuestStream? { state.withLock { $0.streams[id] } }

    func close(_ id: UInt32, _ result: Result<Void, any Error>) {
        let stream = state.withLock { $0.streams.removeValue(forKey: id) }
        stream?.finish(result)
    }

    /// - Throws: `FrameError` if there are more events than anybody could want.
    func tell(_ event: GuestEvent) throws {
        if case .dropped = eventSink.yield(event) { throw FrameError.messageTooLong }
    }

    /// The connection is gone: so is everything on it.
    func close(_ error: CarpelError) {
        let lost = state.withLock { state in
            if state.closed == nil { state.closed = error }
            defer { state.streams = [:] }
            return state.streams.values
        }
        for stream in lost { stream.finish(.failure(error)) }
        eventSink.finish()
    }
}
