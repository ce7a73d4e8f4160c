import CarpelAPI
import NIOCore
import NIOEmbedded
import Testing

@testable import CarpelServer

@Suite struct LineDecoderTests {
    private func lines(
        _ chunks: [String], maximum: Int = 8, budget: LineBudget = LineBudget()
    ) throws -> [String] {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(budget, maximumLength: maximum)))
        for chunk in chunks { try channel.writeInbound(ByteBuffer(string: chunk)) }
        var lines: [String] = []
        while let line = try channel.readInbound(as: Line.self) {
            switch line {
            case .complete(let bytes, _): lines.append(String(buffer: bytes))
            case .refused(.tooLong): lines.append("TOO LONG")
            case .refused(.tooMuchAtOnce): lines.append("TOO MUCH")
            case .frame: lines.append("FRAME")
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

    @Test func longLinesOfAllConnectionsShareABudget() throws {
        let free = LineBudget.freeLength
        let budget = LineBudget(bytes: 2 * free)
        let maximum = 16 * free
        let long = String(repeating: "x", count: 2 * free)
        #expect(try lines([long + "\n"], maximum: maximum, budget: budget) == [long])
        // The first still holds what it took.
        let first = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(budget, maximumLength: maximum)))
        try first.writeInbound(ByteBuffer(string: long))
        #expect(try lines([long, "\nok\n"], maximum: maximum, budget: budget) == ["TOO MUCH", "ok"])
        #expect(try lines([long + "\nok\n"], maximum: maximum, budget: budget) == ["TOO MUCH", "ok"])
        _ = try first.finish(acceptAlreadyClosed: true)
        #expect(try lines([long, "\n"], maximum: maximum, budget: budget) == [long])
    }

    @Test func aConnectionThatBecomesAStreamHasFramesFromThenOn() throws {
        let framing = FrameDecoding()
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(LineBudget(), framing: framing)))
        try channel.writeInbound(ByteBuffer(string: "line\n"))
        guard case .complete = try channel.readInbound(as: Line.self) else {
            Issue.record("no line")
            return
        }
        framing.begin()
        let frames = [StreamFrame(.data, Array("a\nb\n".utf8)), .closing(.data)]
        for byte in frames.flatMap(\.bytes) { try channel.writeInbound(ByteBuffer(bytes: [byte])) }
        for frame in frames {
            guard case .frame(let read) = try channel.readInbound(as: Line.self) else {
                Issue.record("no frame")
                return
            }
            #expect(read == frame)
        }
        #expect(throws: StreamFrameError.unknownChannel(77)) {
            try channel.writeInbound(ByteBuffer(bytes: [77, 0, 0, 0, 0]))
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}
