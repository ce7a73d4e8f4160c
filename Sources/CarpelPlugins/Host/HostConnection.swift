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
    ///
    /// - Parameter sent: Called when the request is on its way: what is sent from then on comes after it.
    func exchange(_ request: some Codable & Sendable, id: Int64, method: String) async throws -> Data {
        let message = JSONRPC.Request(id: .number(id), method: method, params: request)
        return try await exchange(try JSONEncoder().encode(message), id: id, method: method)
    }

    func exchange(_ line: Data, id: Int64, method: String, sent: () -> Void = {}) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            calls.wait(for: id, method: method, continuation)
            send(line).whenFailure { calls.fail(id, writing: $0) }
            sent()
        }
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
