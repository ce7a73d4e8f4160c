import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import Synchronization

/// Lines that have been read, which are not many: the socket is read only while somebody waits for a line.
final class LineQueue: Sendable {
    private struct State {
        var lines: [Data] = []
        var waiter: CheckedContinuation<Void, any Error>?
        /// Set once: nothing more will come.
        var end: CarpelError?
    }

    private let peer: Peer
    private let state = Mutex(State())

    init(of peer: Peer) { self.peer = peer }

    /// Waits for the next line. There is one reader.
    ///
    /// - Throws: why the connection ended, or `CancellationError`.
    func next(from channel: any Channel) async throws -> Data {
        while true {
            try Task.checkCancellation()
            let line: Data? = try state.withLock { state in
                if !state.lines.isEmpty { return state.lines.removeFirst() }
                if let end = state.end { throw end }
                return nil
            }
            if let line { return line }
            try await wait(on: channel)
        }
    }

    private func wait(on channel: any Channel) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isLate = state.withLock { state in
                    guard state.lines.isEmpty, state.end == nil, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    return false
                }
                if isLate { continuation.resume() } else { channel.read() }
            }
        } onCancel: {
            wake(throwing: CancellationError())
        }
    }

    private func wake(throwing error: (any Error)? = nil) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        if let error { waiter?.resume(throwing: error) } else { waiter?.resume() }
    }

    fileprivate var isWaitedFor: Bool { state.withLock { $0.waiter != nil } }

    fileprivate func receive(_ line: Data) {
        state.withLock { $0.lines.append(line) }
        wake()
    }

    fileprivate func end(_ cause: CarpelError?) {
        state.withLock { state in
            state.end =
                state.end ?? cause
                ?? CarpelError(
                    .unavailable, "connectionClosed",
                    "\(peer.name) closed the connection before the end of the subscription: look at its log, "
                        + "and subscribe anew")
        }
        wake()
    }
}

/// Fills a queue, and reads on as long as a line is wanted that has not come whole.
final class LineQueueHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let queue: LineQueue

    init(_ queue: LineQueue) { self.queue = queue }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        queue.receive(Data(Self.unwrapInboundIn(data).readableBytesView))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if queue.isWaitedFor { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        queue.end(error as? CarpelError)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { queue.end(nil) }
}
