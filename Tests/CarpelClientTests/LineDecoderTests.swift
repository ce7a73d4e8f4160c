import CarpelCore
import NIOCore
import NIOEmbedded
import Testing

@testable import CarpelClient

struct LineDecoderTests {
    @Test func linesAreCutWhereverTheBytesWereSplit() throws {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder()))
        for part in ["{\"a\"", ":1}", "\n\n{", "}\n[1]\nrest"] { try channel.writeInbound(ByteBuffer(string: part)) }
        var lines: [String] = []
        while let line = try channel.readInbound(as: ByteBuffer.self) { lines.append(String(buffer: line)) }
        #expect(lines == [#"{"a":1}"#, "{}", "[1]"])
    }

    @Test(arguments: ["123456789", "123456789\n"])
    func aLineThatIsTooLongIsAnErrorWithOrWithoutItsEnd(text: String) throws {
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(LineDecoder(of: Peer(name: "the daemon", maximumAnswerLength: 8))))
        #expect(throws: CarpelError.self) { try channel.writeInbound(ByteBuffer(string: text)) }
    }
}
