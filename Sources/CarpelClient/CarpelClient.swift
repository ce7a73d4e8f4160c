import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import NIOPosix

/// A connection to the daemon's socket.
///
/// Calls may be made from any task, many at once: each has an id of its own and waits for its own answer. Every error
/// is a `CarpelError`: the daemon's own, or one of
///
/// | code | reason | when |
/// |---|---|---|
/// | `UNAVAILABLE` | `daemonNotRunning` | nothing listens at the socket's path |
/// | `PERMISSION_DENIED` | `socketNotAllowed` | the caller may not open the socket |
/// | `UNAVAILABLE` | `connectionClosed` | the connection ended before the answer came |
/// | `DEADLINE_EXCEEDED` | `callTimeout` | the answer took longer than the caller's `timeout` |
/// | `CANCELLED` | `cancelled` | the calling task was cancelled |
///
/// A call that is given up on, by a timeout or a cancellation, goes on in the daemon.
public final class CarpelClient: Sendable {
    /// The socket that this client is connected to.
    public let socketPath: String

    private let channel: any Channel
    private let calls: PendingCalls

    init(socketPath: String, channel: any Channel, calls: PendingCalls) {
        self.socketPath = socketPath
        self.channel = channel
        self.calls = calls
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Calls a method and waits for its answer.
    ///
    /// - Parameter timeout: how long to wait; nil waits as long as the connection lives.
    public func call<Request, Response>(
        _ method: Method<Request, Response>, _ request: Request, timeout: Duration? = nil
    ) async throws -> Response {
        let reply = try await exchange(method.name, timeout: timeout) { id in
            try JSONEncoder().encode(JSONRPC.Request(id: id, method: method.name, params: request))
        }
        do {
            return try JSONDecoder().decode(JSONRPC.Success<Response>.self, from: reply).result
        } catch {
            throw unreadable(method.name, error)
        }
    }

    /// Calls a method by its name.
    ///
    /// - Parameters:
    ///   - params: the parameters' JSON text: an object or an array.
    ///   - timeout: how long to wait; nil waits as long as the connection lives.
    /// - Returns: the result's JSON text, its members sorted by name.
    public func callRaw(method: String, params: String, timeout: Duration? = nil) async throws -> String {
        let params = try RawJSON.oneLine(params)
        let reply = try await exchange(method, timeout: timeout) { id in
            try RawJSON.request(id: id, method: method, params: params)
        }
        do {
            return try RawJSON.result(of: reply)
        } catch {
            throw unreadable(method, error)
        }
    }

    /// The notifications of one name that arrive from now on, until the connection ends or the reader stops.
    ///
    /// A reader that falls behind by more than 64 loses the oldest: each notification holds the whole state.
    public func notifications<Params: ProtoMessage>(
        _ name: String, as type: Params.Type = Params.self
    ) -> AsyncStream<Params> {
        let (stream, continuation) = AsyncStream.makeStream(of: Params.self, bufferingPolicy: .bufferingNewest(64))
        let key = calls.listen(
            to: name,
            receive: { line in
                guard let message = try? JSONDecoder().decode(JSONRPC.Request<Params>.self, from: line) else { return }
                continuation.yield(message.params)
            }, end: { continuation.finish() })
        continuation.onTermination = { [calls] _ in calls.stopListening(key) }
        return stream
    }

    /// The progress of this connection's pulls.
    public func pullProgress() -> AsyncStream<PullProgressNotification> {
        notifications(Notifications.pullProgress)
    }

    /// Closes the connection; calls that wait for an answer fail with `connectionClosed`.
    public func close() async {
        try? await channel.close()
    }

    /// Sends a request and waits for the line that answers it.
    private func exchange(
        _ method: String, timeout: Duration?, encode: @escaping @Sendable (JSONRPC.ID) throws -> Data
    ) async throws -> Data {
        guard let timeout else { return try await exchange(method, encode: encode) }
        return try await withDeadline(timeout, reason: "callTimeout", "\(method)'s answer") {
            try await self.exchange(method, encode: encode)
        }
    }

    private func exchange(_ method: String, encode: @Sendable (JSONRPC.ID) throws -> Data) async throws -> Data {
        let id = calls.nextID()
        let request = try encode(.number(id))
        guard request.count <= JSONRPC.maximumMessageLength else {
            throw CarpelError(
                .invalidArgument, "messageTooLong",
                "\(method)'s request has \(ByteCount(Int64(request.count))), the socket's limit is 16 MiB")
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                calls.wait(for: id, method: method) { continuation.resume(with: $0) }
                if Task.isCancelled {
                    calls.cancel(id)
                } else {
                    send(request, for: id)
                }
            }
        } onCancel: {
            calls.cancel(id)
        }
    }

    private func send(_ request: Data, for id: Int64) {
        var line = channel.allocator.buffer(capacity: request.count + 1)
        line.writeBytes(request)
        line.writeInteger(UInt8(ascii: "\n"))
        channel.writeAndFlush(line).whenFailure { [calls] error in calls.fail(id, writing: error) }
    }

    private func unreadable(_ method: String, _ error: any Error) -> CarpelError {
        CarpelError(
            .internal, "unreadableAnswer",
            "\(method)'s answer cannot be read (\(error)): check with `carpel version` that client and daemon match")
    }
}
