import Foundation
import NIOCore
import NIOPosix

@testable import CarpelClient

/// A real server on a Unix socket that answers each line as a test says.
final class LineServer: Sendable {
    struct Request: Sendable {
        let id: Int
        let method: String
        let line: String
    }

    struct Connection: Sendable {
        let channel: any Channel

        func send(_ line: String) {
            channel.writeAndFlush(ByteBuffer(string: line + "\n"), promise: nil)
        }

        func close() { channel.close(promise: nil) }
    }

    let path: String
    private let channel: any Channel

    static func start(
        answering answer: @escaping @Sendable (Request, Connection) -> Void
    ) async throws -> LineServer {
        let path = NSTemporaryDirectory() + "carpel-\(UUID().uuidString.prefix(8)).sock"
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(LineDecoder()), RequestHandler(answer: answer),
                    ])
                }
            }
        let channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
        return LineServer(path: path, channel: channel)
    }

    private init(path: String, channel: any Channel) {
        self.path = path
        self.channel = channel
    }

    /// Stops listening and leaves the socket's file, as a daemon that was killed does.
    func stop() async throws { try await channel.close() }

    deinit {
        channel.close(promise: nil)
        unlink(path)
    }
}

private final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: @Sendable (LineServer.Request, LineServer.Connection) -> Void

    init(answer: @escaping @Sendable (LineServer.Request, LineServer.Connection) -> Void) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = String(buffer: Self.unwrapInboundIn(data))
        let members = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        let request = LineServer.Request(
            id: members?["id"] as? Int ?? -1, method: members?["method"] as? String ?? "", line: line)
        answer(request, LineServer.Connection(channel: context.channel))
    }
}
