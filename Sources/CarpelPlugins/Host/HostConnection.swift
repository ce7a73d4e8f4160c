import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import NIOCore
import NIOPosix

/// The socket to a host: JSON-RPC 2.0, one message a line.
struct HostConnection: Sendable {
    private let channel: any Channel
    private let calls: PendingCalls

    /// - Parameter descriptor: the daemon's end of the socketpair, which now belongs to the connection.
    static func adopting(_ descriptor: Int32) async throws -> HostConnection {
        let peer = Peer(name: "the plugin's host", maximumAnswerLength: JSONRPC.maximumMessageLength + 4096)
        let calls = PendingCalls(of: peer)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(LineDecoder(of: peer)), ReplyHandler(calls: calls),
                    ])
                }
            }
        return HostConnection(channel: try await bootstrap.withConnectedSocket(descriptor).get(), calls: calls)
    }

    func nextID() -> Int64 { calls.nextID() }

    /// Sends a request and waits for the line that answers it, whether or not the calling task is cancelled.
    func exchange(_ request: some Codable & Sendable, method: String) async throws -> Data {
        let id = nextID()
        let line = try JSONEncoder().encode(JSONRPC.Request(id: .number(id), method: method, params: request))
        return try await withCheckedThrowingContinuation { continuation in
            send(line, id: id, method: method) { continuation.resume(with: $0) }
        }
    }

    /// Sends a request. What is sent later arrives later.
    ///
    /// - Parameter answer: Gets the line that answers the request, or why none will come.
    func send(_ line: Data, id: Int64, method: String, answer: @escaping PendingCalls.Answer) {
        calls.wait(for: id, method: method, answer)
        send(line).whenFailure { [calls] in calls.fail(id, writing: $0) }
    }

    /// Tells the host that nobody waits for a call's answer any more.
    func cancel(call id: Int64) {
        _ = send(Data(#"{"jsonrpc":"2.0","method":"cancel","params":{"id":\#(id)}}"#.utf8))
    }

    private func send(_ line: Data) -> EventLoopFuture<Void> {
        var buffer = channel.allocator.buffer(capacity: line.count + 1)
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        return channel.writeAndFlush(buffer)
    }

    func close() { channel.close(promise: nil) }

    /// Returns when the host has closed its end, or ``close()`` this one.
    func closed() async { try? await channel.closeFuture.get() }
}
