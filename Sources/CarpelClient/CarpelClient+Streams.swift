import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import NIOPosix

extension CarpelClient {
    private static let openTimeout = Duration.seconds(60)

    /// Begins the stream that Exec, Attach or PortForward prepared, on another connection to the same daemon.
    ///
    /// - Parameter url: from their answer; it works once, and for a minute.
    /// - Throws: the daemon's error if the stream cannot begin, such as `commandNotFound` or `connectionRefused`.
    public func openStream(url: String) async throws -> ByteStream {
        let request = try JSONEncoder().encode(
            JSONRPC.Request(id: .number(1), method: Methods.openStream.name, params: OpenStreamRequest { $0.url = url })
        )
        let queue = ByteStreamQueue()
        let opened = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let bootstrap = ClientBootstrap(group: opened.futureResult.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteStreamHandler(queue: queue, opened: opened))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(unixDomainSocketPath: socketPath).get()
        } catch {
            let failure = Self.connectError(error, socketPath: socketPath)
            opened.fail(failure)
            throw failure
        }
        let stream = ByteStream(channel: channel, queue: queue)
        channel.writeAndFlush(ByteBuffer(bytes: request + Data("\n".utf8)), promise: nil)
        channel.read()
        try await withDeadline(Self.openTimeout, reason: "callTimeout", "\(Methods.openStream.name)'s answer") {
            try await withTaskCancellationHandler {
                try await opened.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        }
        return stream
    }
}

/// Takes the line that answers OpenStream, and frames behind it.
private final class ByteStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Bytes of an answer that says no more than yes or no.
    private static let maximumAnswerLength = 1 << 20

    private let queue: ByteStreamQueue
    private let opened: EventLoopPromise<Void>
    private var answer: [UInt8] = []
    private var isOpen = false
    private var decoder = StreamFrameDecoder()
    /// What was read since the last `channelReadComplete` made a whole frame.
    private var hasRead = false

    init(queue: ByteStreamQueue, opened: EventLoopPromise<Void>) {
        self.queue = queue
        self.opened = opened
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data).readableBytesView[...]
        do {
            if !isOpen { try takeAnswer(&bytes, context) }
            decoder.append(bytes)
            while let frame = try decoder.next() {
                queue.add(frame)
                hasRead = true
            }
        } catch {
            fail(CarpelError(.internal, "unreadableAnswer", "what the daemon sent on a stream is no frame: \(error)"))
            context.close(promise: nil)
        }
    }

    private func takeAnswer(_ bytes: inout ByteBufferView.SubSequence, _ context: ChannelHandlerContext) throws {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        answer += bytes[..<(end ?? bytes.endIndex)]
        guard answer.count <= Self.maximumAnswerLength else { throw StreamFrameError.tooLong(answer.count) }
        guard let end else {
            bytes = bytes[bytes.endIndex...]
            return
        }
        bytes = bytes[(end + 1)...]
        if let failure = try? JSONDecoder().decode(JSONRPC.Failure.self, from: Data(answer)) {
            fail(failure.error.error)
            return context.close(promise: nil)
        }
        isOpen = true
        hasRead = true
        opened.succeed()
    }

    /// Part of an answer or a frame is nothing that anybody could take: the rest is read without being asked for.
    func channelReadComplete(context: ChannelHandlerContext) {
        if !hasRead { context.read() }
        hasRead = false
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(CarpelError(.unavailable, "connectionClosed", "the stream's connection broke: \(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        opened.fail(
            CarpelError(
                .unavailable, "connectionClosed",
                "the daemon closed the connection before it answered \(Methods.openStream.name)"))
        queue.finish(.success(()))
        context.fireChannelInactive()
    }

    private func fail(_ error: CarpelError) {
        opened.fail(error)
        queue.finish(.failure(error))
    }
}
