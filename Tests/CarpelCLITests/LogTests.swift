import CarpelCore
import Foundation
import Testing

@testable import CarpelCLI

private func bytes(_ text: String) -> ArraySlice<UInt8> { ArraySlice(text.utf8) }

struct LogLineTests {
    @Test func aLineHasTimeStreamAndContent() throws {
        let line = try #require(LogLine(bytes("2026-01-01T00:00:00.000000001Z stderr F two  words ")))
        #expect(line.timestamp == "2026-01-01T00:00:00.000000001Z")
        #expect(line.stream == .stderr)
        #expect(!line.isPartial)
        #expect(line.content == bytes("two  words "))
    }

    @Test func aPartialLineIsMarkedAndFurtherTagsAreIgnored() {
        #expect(LogLine(bytes("t stdout P:x abc"))?.isPartial == true)
    }

    @Test func anEmptyLineHasNoContent() {
        #expect(LogLine(bytes("t stdout F "))?.content.isEmpty == true)
        #expect(LogLine(bytes("t stdout F"))?.content.isEmpty == true)
    }

    @Test func contentNeedNotBeUTF8() {
        #expect(LogLine(bytes("t stdout F ") + [0xFF, 0x00])?.content == [0xFF, 0x00])
    }

    @Test(arguments: ["", "hello", "t stdin F x", "t stdout X x", "t stdout"])
    func anythingElseIsNoLogLine(text: String) {
        #expect(LogLine(bytes(text)) == nil)
    }
}

struct LogSelectionTests {
    private func text(_ selection: LogSelection, _ line: String) -> String? {
        selection.rendering(bytes(line)).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func partsOfALineAreJoined() {
        #expect(text(LogSelection(), "t stdout P ab") == "ab")
        #expect(text(LogSelection(), "t stdout F cd") == "cd\n")
    }

    @Test func timestampsGoInFront() {
        #expect(text(LogSelection(timestamps: true), "2026-01-01T00:00:00Z stdout F a") == "2026-01-01T00:00:00Z a\n")
    }

    @Test func olderLinesAreLeftOut() throws {
        let since = try LogTime.since("2026-01-01T00:00:01Z")
        #expect(text(LogSelection(since: since), "2026-01-01T00:00:00.999999999Z stdout F a") == nil)
        #expect(text(LogSelection(since: since), "2026-01-01T00:00:01.000000000Z stdout F a") == "a\n")
    }

    @Test func aLineThatIsNoLogLineIsShownAsItIs() {
        #expect(text(LogSelection(timestamps: true), "broken") == "broken\n")
    }
}

struct LogTailTests {
    private func tail(_ limit: Int, _ lines: [String]) -> [String] {
        var tail = LogTail(limit: limit)
        for line in lines { tail.add([bytes(line)]) }
        return tail.lines.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theLastLinesAreKept() {
        #expect(tail(2, ["t stdout F 1", "t stdout F 2", "t stdout F 3"]) == ["t stdout F 2", "t stdout F 3"])
        #expect(tail(9, ["t stdout F 1"]) == ["t stdout F 1"])
        #expect(tail(0, ["t stdout F 1"]).isEmpty)
    }

    @Test func aLineInPartsIsOneLine() {
        let lines = ["t stdout F 1", "t stdout P 2", "t stdout P 2", "t stdout F 2", "t stdout F 3"]
        #expect(tail(2, lines) == Array(lines.dropFirst()))
    }

    @Test func aLongLogIsCutAsItIsRead() {
        let lines = (0..<5000).map { "t stdout F \($0)" }
        #expect(tail(3, lines) == Array(lines.suffix(3)))
    }
}

struct LogTimeTests {
    @Test func timesAreReadWithNanosecondsAndZone() {
        #expect(LogTime.nanoseconds(rfc3339: "1970-01-01T00:00:01.5Z") == 1_500_000_000)
        #expect(LogTime.nanoseconds(rfc3339: "1970-01-01T01:00:00.000000007+01:00") == 7)
        #expect(LogTime.nanoseconds(rfc3339: "2026-01-01T00:00:00Z") == 1_767_225_600_000_000_000)
    }

    @Test(arguments: ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00.Z"])
    func anythingElseIsNoTime(text: String) {
        #expect(LogTime.nanoseconds(rfc3339: text) == nil)
    }

    @Test(arguments: [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800)])
    func aDurationMeansThatLongAgo(text: String, seconds: Int64) throws {
        let now = Date(timeIntervalSince1970: 1_000_000)
        #expect(try LogTime.since(text, now: now) == (1_000_000 - seconds) * 1_000_000_000)
    }

    @Test(arguments: ["", "10", "m", "-5m", "1w", "5m3"])
    func anythingElseIsRefused(text: String) {
        #expect(throws: CarpelError.self) { try LogTime.since(text) }
    }
}

struct LogFileTests {
    @Test func linesComeAsTheFileGrows() throws {
        let path = NSTemporaryDirectory() + "carpel-log-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = LogFile(path: path)
        #expect(try log.nextLines().isEmpty)
        #expect(FileManager.default.createFile(atPath: path, contents: Data("one\ntw".utf8)))
        #expect(try log.nextLines().map { String(decoding: $0, as: UTF8.self) } == ["one"])
        #expect(try log.nextLines().isEmpty)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("o\n\nthree\n".utf8))
        #expect(try log.nextLines().map { String(decoding: $0, as: UTF8.self) } == ["two", "", "three"])
    }
}
