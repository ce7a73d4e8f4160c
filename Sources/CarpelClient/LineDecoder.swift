import CarpelAPI
import CarpelCore
import NIOCore

/// Cuts the bytes of the socket into lines, their ends and empty lines left out.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    private let maximumLength: Int
    /// Bytes of the unfinished line that are known to hold no line end, so that a long line is searched once.
    private var searched = 0

    init(maximumLength: Int = JSONRPC.maximumAnswerLength) {
        self.maximumLength = maximumLength
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let bytes = buffer.readableBytesView
        guard let end = bytes.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            try check(length: searched)
            return .needMoreData
        }
        searched = 0
        try check(length: end - bytes.startIndex)
        let line = buffer.readSlice(length: end - bytes.startIndex)
        buffer.moveReaderIndex(forwardBy: 1)
        if let line, line.readableBytes > 0 {
            context.fireChannelRead(Self.wrapInboundOut(line))
        }
        return .continue
    }

    private func check(length: Int) throws {
        guard length <= maximumLength else {
            throw CarpelError(
                .resourceExhausted, "answerTooLong",
                "the daemon's answer is longer than \(ByteCount(Int64(maximumLength))): ask for less at once")
        }
    }
}
