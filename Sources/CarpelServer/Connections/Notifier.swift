import CarpelAPI
import Foundation
import NIOCore

/// Sends notifications to a client in order, and drops the oldest where the client does not keep up.
struct Notifier: Sendable {
    private static let queueLength = 256

    private let queue: AsyncStream<ByteBuffer>
    private let input: AsyncStream<ByteBuffer>.Continuation
    private let writer: NIOAsyncChannelOutboundWriter<ByteBuffer>

    init(_ writer: NIOAsyncChannelOutboundWriter<ByteBuffer>) {
        self.writer = writer
        (queue, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.queueLength))
    }

    func send(_ method: String, _ params: any ProtoMessage) {
        guard let line = try? encode(method, params) else { return }
        input.yield(ByteBuffer(bytes: line + Data("\n".utf8)))
    }

    func finish() { input.finish() }

    func run() async {
        for await line in queue {
            guard (try? await writer.write(line)) != nil else { return }
        }
    }

    private func encode(_ method: String, _ params: some ProtoMessage) throws -> Data {
        try JSONRPC.encode(JSONRPC.Request(id: nil, method: method, params: params))
    }
}
