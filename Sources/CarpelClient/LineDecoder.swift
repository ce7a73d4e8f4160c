import CarpelAPI
import CarpelCore
import NIOCore

/// Cuts the bytes of the socket into lines, their ends and empty lines left out.
package struct LineDecoder: ByteToMessageDecoder {
    package typealias InboundOut = ByteBuffer

    private let peer: Peer
    /// Bytes of the unfinished line that are known to hold no line end, so that a long line is searched once.
    private var searched = 0

    package init(of peer: Peer = .daemon) {
        self.peer = peer
    }

    package mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
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
        guard length <= peer.maximumAnswerLength else {
            throw CarpelError(
                .resourceExhausted, "answerTooLong",
                "the answer of \(peer.name) is longer than \(ByteCount(Int64(peer.maximumAnswerLength))): "
                    + "ask for less at once")
        }
    }
}
