import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import Synchronization

/// A byte stream that Exec, Attach or PortForward prepared, on a connection of its own.
///
/// One task reads; any may write. Nothing is read from the connection that nobody asks for, so that a slow reader makes
/// the pod wait. Letting go of the stream hangs up.
///
/// Every error is a `CarpelError`: the daemon's own, or `UNAVAILABLE`, reason `connectionClosed`.
public final class ByteStream: Sendable {
    private let channel: any Channel
    private let queue: ByteStreamQueue
    private let code = Mutex<Int32?>(nil)

    init(channel: any Channel, queue: ByteStreamQueue) {
        self.channel = channel
        self.queue = queue
    }

    deinit { channel.close(promise: nil) }

    /// The next frame from the daemon: output, data of a port, a notice or the close of a channel; nil at the end.
    ///
    /// - Throws: the error with which the stream ended, if it did not end well.
    public func read() async throws -> StreamFrame? {
        if exitCode != nil { return nil }
        guard let frame = try await queue.next(reading: channel) else {
            throw CarpelError(
                .unavailable, "connectionClosed", "the daemon closed the stream before its end: look at its log")
        }
        guard frame.channel == .status else { return frame }
        let status = try decode(frame)
        if let error = status.error { throw error.error }
        code.withLock { $0 = status.exitCode ?? 0 }
        return nil
    }

    /// The exit code of the command or container, once `read` has given nil; 0 for a forwarded port.
    public var exitCode: Int32? { code.withLock { $0 } }

    /// Sends what the process reads from its stdin, or what goes to the port, and waits while it is not taken.
    public func write(_ bytes: [UInt8]) async throws {
        for frame in StreamFrame.carrying(bytes, on: .data) where !frame.payload.isEmpty { try await send(frame) }
    }

    /// Ends the process's stdin, or what goes to the port.
    public func closeInput() async throws { try await send(.closing(.data)) }

    public func resize(_ size: TerminalSize) async throws {
        try await send(StreamFrame(.resize, Array(try JSONEncoder().encode(size))))
    }

    /// Hangs up. A command of Exec is ended, the container of an Attach is not.
    public func close() async { try? await channel.close() }

    private func send(_ frame: StreamFrame) async throws {
        do {
            try await channel.writeAndFlush(ByteBuffer(bytes: frame.bytes))
        } catch {
            throw CarpelError(.unavailable, "connectionClosed", "the stream has ended: \(error)")
        }
    }

    private func decode(_ frame: StreamFrame) throws -> StreamStatus {
        do {
            return try JSONDecoder().decode(StreamStatus.self, from: Data(frame.payload))
        } catch {
            throw CarpelError(.internal, "unreadableAnswer", "the end of the stream cannot be read: \(error)")
        }
    }
}

/// What has come from the daemon and has not been read.
final class ByteStreamQueue: Sendable {
    private struct State {
        var frames = CircularBuffer<StreamFrame>()
        /// Set once: nothing more comes, and why if it is an error.
        var end: Result<Void, CarpelError>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func add(_ frame: StreamFrame) { change { $0.frames.append(frame) } }

    func finish(_ result: Result<Void, CarpelError>) {
        change { state in
            if state.end == nil { state.end = result }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The next frame, for which the connection is read if there is none; nil at the end.
    func next(reading channel: any Channel) async throws -> StreamFrame? {
        while true {
            if let result = take() { return try result.get() }
            channel.read()
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isLate = state.withLock { state in
                        guard state.frames.isEmpty, state.end == nil, !Task.isCancelled else { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isLate { continuation.resume() }
                }
            } onCancel: {
                change { _ in }
            }
            if Task.isCancelled { throw CarpelError(.cancelled, "cancelled", "reading was cancelled by the caller") }
        }
    }

    private func take() -> Result<StreamFrame?, CarpelError>? {
        state.withLock { state in
            if let frame = state.frames.popFirst() { return .success(frame) }
            return state.end?.map { nil }
        }
    }
}
