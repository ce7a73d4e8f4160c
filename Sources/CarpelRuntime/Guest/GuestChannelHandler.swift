import CarpelCore
import CarpelGuestProtocol
import Logging
import NIOCore

/// Turns the bytes of the machine's channel into the streams' responses and data.
///
/// The bytes come from a machine that may be hostile: whatever breaks a rule closes the connection.
final class GuestChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let greetingInterval = TimeAmount.milliseconds(200)

    private let nonce: [UInt8]
    private var decoder: FrameDecoder
    private let streams: GuestStreams
    private let hello: EventLoopPromise<Void>
    private let logger: Logger
    private var responses: [UInt32: MessageAssembler] = [:]
    private var greeting: RepeatedTask?
    private var event = MessageAssembler(limit: MessageAssembler.maximumEvent)

    init(nonce: [UInt8], streams: GuestStreams, hello: EventLoopPromise<Void>, logger: Logger) {
        self.nonce = nonce
        self.decoder = FrameDecoder(.host(nonce: nonce))
        self.streams = streams
        self.hello = hello
        self.logger = logger
    }

    /// Greets until the agent answers. The port's opening and its bytes reach the guest on two queues: an agent
    /// that reads a HELLO before it knows that the host is back takes it for a leftover of the last connection.
    func channelActive(context: ChannelHandlerContext) {
        let hello = ByteBuffer(bytes: Hello(nonce: nonce).bytes)
        let channel = context.channel
        greeting = context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.greetingInterval) { _ in
            channel.writeAndFlush(hello, promise: nil)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do {
            while let item = try decoder.next() {
                switch item {
                case .hello(let answer): try begin(answer)
                case .frame(let frame): try handle(frame)
                }
            }
        } catch {
            logger.error("the agent breaks the rules of its channel", metadata: ["cause": "\(error)"])
            fail(CarpelError.wrapping(error, during: "read from the agent"))
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(CarpelError(.unavailable, "guestDisconnected", "the connection to the pod's agent has ended"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(CarpelError(.unavailable, "guestDisconnected", "the connection to the pod's agent broke: \(error)"))
        context.close(promise: nil)
    }

    private func fail(_ error: CarpelError) {
        greeting?.cancel()
        hello.fail(error)
        streams.close(error)
    }

    private func begin(_ answer: Hello) throws {
        guard answer.version == Hello.currentVersion else {
            throw CarpelError(
                .failedPrecondition, "guestVersion",
                "the agent speaks version \(answer.version) of the protocol, not \(Hello.currentVersion)")
        }
        greeting?.cancel()
        hello.succeed()
    }

    private func handle(_ frame: Frame) throws {
        switch frame.kind {
        case .event:
            guard let message = try event.append(frame) else { return }
            // An event of a newer agent means nothing to this host.
            guard let event = try? CBORDecoder().decode(GuestEvent.self, from: message) else { return }
            try event.checkNumbers()
            try streams.tell(event)
        case .response:
            try takeResponse(frame)
        case .data, .credit:
            try streams[frame.stream]?.received(frame)
        case .end:
            responses[frame.stream] = nil
            streams.close(frame.stream, .success(()))
        case .reset:
            responses[frame.stream] = nil
            streams.close(
                frame.stream,
                .failure(CarpelError(.aborted, "guestReset", "the agent gave the request up; it may be too large")))
        case .request:
            throw FrameError.unknownKind(frame.kind.rawValue)
        }
    }

    private func takeResponse(_ frame: Frame) throws {
        // Nobody waits any more for what was cancelled.
        guard let stream = streams[frame.stream] else { return }
        var assembler =
            responses.removeValue(forKey: frame.stream) ?? MessageAssembler(limit: MessageAssembler.maximumResponse)
        guard let message = try assembler.append(frame) else {
            responses[frame.stream] = assembler
            return
        }
        let response = try CBORDecoder().decode(GuestResponse.self, from: message)
        try response.checkNumbers()
        try stream.received(response)
    }
}
