import CarpelAPI
import CarpelCore
import Foundation
import Testing

@Suite struct StreamFrameTests {
    private func decode(_ bytes: [UInt8], piece: Int) throws -> [StreamFrame] {
        var decoder = StreamFrameDecoder()
        var frames: [StreamFrame] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            decoder.append(bytes[start..<min(start + piece, bytes.count)])
            while let frame = try decoder.next() { frames.append(frame) }
        }
        return frames
    }

    @Test func framesArriveHoweverTheirBytesAreCut() throws {
        let frames = [
            StreamFrame(.data, Array("in".utf8)), StreamFrame(.stdout), .closing(.data),
            StreamFrame(.stderr, [UInt8](repeating: 7, count: StreamFrame.maximumPayload)), StreamFrame(.status, [1]),
        ]
        let bytes = frames.flatMap(\.bytes)
        for piece in [1, 2, 5, 6, 4096, bytes.count] { #expect(try decode(bytes, piece: piece) == frames) }
    }

    @Test func theLengthStandsInNetworkOrder() {
        #expect(StreamFrame(.stdout, [UInt8](repeating: 0, count: 0x102)).bytes.prefix(5) == [1, 0, 0, 1, 2])
        #expect(StreamFrame.closing(.data).bytes == [255, 0, 0, 0, 1, 0])
    }

    @Test func whatIsTooLongForAFrameIsCut() {
        let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
        let frames = StreamFrame.carrying(bytes, on: .stdout)
        #expect(frames.map(\.payload.count) == [32768, 32768, 4464])
        #expect(frames.flatMap(\.payload) == bytes)
        #expect(StreamFrame.carrying([], on: .data) == [StreamFrame(.data)])
    }

    @Test func aLengthBeyondTheLimitIsRefusedBeforeItsBytesCome() throws {
        var decoder = StreamFrameDecoder()
        decoder.append([1, 0, 0, 0x80, 1])
        #expect(throws: StreamFrameError.tooLong(32769)) { try decoder.next() }
        decoder.append(StreamFrame(.stdout).bytes)
        #expect(throws: StreamFrameError.tooLong(32769)) { try decoder.next() }
        var largest = StreamFrameDecoder()
        largest.append([0, 0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: StreamFrameError.tooLong(0xFFFF_FFFF)) { try largest.next() }
    }

    @Test func anUnknownChannelIsRefused() {
        var decoder = StreamFrameDecoder()
        decoder.append([9, 0, 0, 0, 0])
        #expect(throws: StreamFrameError.unknownChannel(9)) { try decoder.next() }
    }

    @Test func messagesHaveTheNamesOfTheProtocol() throws {
        let size = try JSONDecoder().decode(TerminalSize.self, from: Data(#"{"Width":80,"Height":24}"#.utf8))
        #expect(size == TerminalSize(width: 80, height: 24))
        #expect(
            String(decoding: try JSONEncoder().encode(StreamStatus(exitCode: 3)), as: UTF8.self) == #"{"exitCode":3}"#)
        let failed = StreamStatus(CarpelError(.unavailable, "connectionRefused", "nobody listens"))
        let read = try JSONDecoder().decode(StreamStatus.self, from: try JSONEncoder().encode(failed))
        #expect(read.exitCode == nil && read.error?.error.reason == "connectionRefused")
    }
}
