import CarpelAPI
import NIOCore

/// One line of the socket, or the fact that one was too long; what is too long is skipped, not kept.
enum Line: Sendable {
    case complete(ByteBuffer)
    case tooLong
}

/// Cuts the bytes of a connection into lines.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = Line

    private let maximumLength: Int
    /// Bytes at the front of the buffer that are known to hold no end of line.
    private var scanned = 0
    private var skipping = false

    init(maximumLength: Int = JSONRPC.maximumMessageLength) { self.maximumLength = maximumLength }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
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
        } else if length > maximumLength {
            context.fireChannelRead(wrapInboundOut(.tooLong))
        } else if let line, line.readableBytesView.contains(where: { !isWhitespace($0) }) {
            context.fireChannelRead(wrapInboundOut(.complete(line)))
        }
        return .continue
    }

    private mutating func waitForMore(_ context: ChannelHandlerContext, _ buffer: inout ByteBuffer) -> DecodingState {
        scanned = buffer.readableBytes
        guard scanned > maximumLength || skipping else { return .needMoreData }
        if !skipping { context.fireChannelRead(wrapInboundOut(.tooLong)) }
        skipping = true
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
