import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import NIOPosix

extension CarpelClient {
    /// Calls a method that streams; its items come from when this returns.
    ///
    /// - Throws: as `call`.
    public func subscribe<Request, Item>(
        _ method: StreamMethod<Request, Item>, _ request: Request
    ) async throws -> Subscription<Item> {
        let lines = LineQueue(of: .daemon)
        let channel = try await Self.open(socketPath, reading: lines)
        let subscription = Subscription<Item>(channel: channel, lines: lines)
        let message = JSONRPC.Request(id: .number(1), method: method.name, params: request)
        let line = try JSONEncoder().encode(message) + Data("\n".utf8)
        // A failure is seen as the end of the connection.
        channel.writeAndFlush(ByteBuffer(bytes: line), promise: nil)
        let answer = try await lines.next(from: channel)
        if let failure = try? JSONDecoder().decode(JSONRPC.Failure.self, from: answer) { throw failure.error.error }
        return subscription
    }

    private static func open(_ socketPath: String, reading lines: LineQueue) async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(LineDecoder(of: .daemon)), LineQueueHandler(lines),
                    ])
                }
            }
        do {
            return try await bootstrap.connect(unixDomainSocketPath: socketPath).get()
        } catch {
            throw connectError(error, socketPath: socketPath)
        }
    }
}
