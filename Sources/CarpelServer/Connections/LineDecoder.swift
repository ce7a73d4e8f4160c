import CarpelAPI
import CarpelCore
import NIOCore

/// One line of the socket, or why one was skipped and not kept.
enum Line: Sendable {
    /// Who holds the reservation holds the line's bytes.
    case complete(ByteBuffer, LineReservation)
    case refused(Refusal)

    enum Refusal: Sendable {
        case tooLong, tooMuchAtOnce

        var error: CarpelError {
            switch self {
            case .tooLong:
                CarpelError(
                    .invalidArgument, "messageTooLong",
                    "a message may have \(JSONRPC.maximumMessageLength) bytes; send less at once")
            case .tooMuchAtOnce:
                CarpelError(
                    .resourceExhausted, "tooMuchAtOnce",
                    "all connections together have sent more long messages than the daemon holds; send it again later")
            }
        }
    }
    /// Of a connection that has become a byte stream.
    case frame(StreamFrame)
}

/// Cuts the bytes of a connection into lines, or into frames once it is a byte stream.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = Line

    private let maximumLength: Int
    /// Bytes at the front of the buffer that are known to hold no end of line.
    private var scanned = 0
    private var skipping = false
    private let budget: LineBudget
    private var reservation: LineReservation
    private let framing: FrameDecoding
    private var frames = StreamFrameDecoder()

    init(
        _ budget: LineBudget, maximumLength: Int = JSONRPC.maximumMessageLength,
        framing: FrameDecoding = FrameDecoding()
    ) {
        self.maximumLength = maximumLength
        self.budget = budget
        reservation = LineReservation(budget)
        self.framing = framing
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        framing.isOn ? try decodeFrames(context, &buffer) : decodeLine(context, &buffer)
    }

    private mutating func decodeFrames(
        _ context: ChannelHandlerContext, _ buffer: inout ByteBuffer
    ) throws -> DecodingState {
        frames.append(buffer.readableBytesView)
        buffer.moveReaderIndex(to: buffer.writerIndex)
        while let frame = try frames.next() { context.fireChannelRead(wrapInboundOut(.frame(frame))) }
        return .needMoreData
    }

    private mutating func decodeLine(_ context: ChannelHandlerContext, _ buffer: inout ByteBuffer) -> DecodingState {
        let view = buffer.readableBytesView
        guard let end = view.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) else {
            return waitForMore(context, &buffer)
        }
        let length = end - view.startIndex
        scanned = 0
        let line = buffer.readSlice(length: length)
        buffer.moveReaderIndex(forwardBy: 1)
        if skipping {
            skipping = false
        } else if let refusal = refusal(of: length) {
            context.fireChannelRead(wrapInboundOut(.refused(refusal)))
        } else if let line, line.readableBytesView.contains(where: { !isWhitespace($0) }) {
            context.fireChannelRead(wrapInboundOut(.complete(line, reservation)))
        }
        reservation = LineReservation(budget)
        return .continue
    }

    private func refusal(of length: Int) -> Line.Refusal? {
        if length > maximumLength { return .tooLong }
        return reservation.covers(length) ? nil : .tooMuchAtOnce
    }

    private mutating func waitForMore(_ context: ChannelHandlerContext, _ buffer: inout ByteBuffer) -> DecodingState {
        scanned = buffer.readableBytes
        if !skipping {
            guard let refusal = refusal(of: scanned) else { return .needMoreData }
            context.fireChannelRead(wrapInboundOut(.refused(refusal)))
            skipping = true
            reservation = LineReservation(budget)
        }
        buffer.moveReaderIndex(forwardBy: scanned)
        scanned = 0
        return .needMoreData
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        // A message without its end of line was cut off: it is not carried out.
        .needMoreData
    }

    private func wrapInboundOut(_ line: Line) -> NIOAny { NIOAny(line) }
}

func isWhitespace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}
