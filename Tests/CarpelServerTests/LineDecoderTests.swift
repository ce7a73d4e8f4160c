import NIOCore
import NIOEmbedded
import Testing

@testable import CarpelServer

@Suite struct LineDecoderTests {
    private func lines(_ chunks: [String], maximum: Int = 8) throws -> [String] {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(maximumLength: maximum)))
        for chunk in chunks { try channel.writeInbound(ByteBuffer(string: chunk)) }
        var lines: [String] = []
        while let line = try channel.readInbound(as: Line.self) {
            switch line {
            case .complete(let bytes): lines.append(String(buffer: bytes))
            case .tooLong: lines.append("TOO LONG")
            }
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
        return lines
    }

    @Test func linesAreCutWhereverTheBytesWereSplit() throws {
        #expect(try lines(["ab\ncd", "\ne", "f\n", "rest"]) == ["ab", "cd", "ef"])
    }

    @Test func emptyLinesAreSkipped() throws {
        #expect(try lines(["\n \r\n\na\n"]) == ["a"])
    }

    @Test func aLineOverTheLimitIsReportedOnceAndTheNextIsRead() throws {
        #expect(try lines(["0123456789", "0123456789", "01\nok\n"]) == ["TOO LONG", "ok"])
        #expect(try lines(["0123456789\nok\n"]) == ["TOO LONG", "ok"])
        #expect(try lines(["01234567\nok\n"]) == ["01234567", "ok"])
    }
}
