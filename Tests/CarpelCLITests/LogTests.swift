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

/// A log in a folder of its own.
private final class TestLog {
    private let folder = NSTemporaryDirectory() + "carpel-log-\(UUID().uuidString)"
    var path: String { "\(folder)/0.log" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func append(_ text: String, to suffix: String = "") throws {
        let path = path + suffix
        if !FileManager.default.fileExists(atPath: path) {
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
        }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func move(_ from: String = "", to suffix: String) { #expect(rename(path + from, path + suffix) == 0) }
}

extension LogFile {
    fileprivate func rest() throws -> [String] {
        var rest: [String] = []
        while case let lines = try nextLines(), !lines.isEmpty {
            rest += lines.map { String(decoding: $0, as: UTF8.self) }
        }
        return rest
    }
}

struct LogTailTests {
    private func tail(_ limit: Int, _ lines: [String], rotated: [String] = []) throws -> [String] {
        let log = try TestLog()
        if !rotated.isEmpty { try log.append(rotated.map { $0 + "\n" }.joined(), to: ".1") }
        try log.append(lines.map { $0 + "\n" }.joined())
        let file = LogFile(path: log.path)
        try file.skipToTail(limit)
        return try file.rest()
    }

    @Test func theLastLinesAreKept() throws {
        #expect(try tail(2, ["t stdout F 1", "t stdout F 2", "t stdout F 3"]) == ["t stdout F 2", "t stdout F 3"])
        #expect(try tail(9, ["t stdout F 1"]) == ["t stdout F 1"])
        #expect(try tail(0, ["t stdout F 1"]).isEmpty)
        #expect(try tail(1, []).isEmpty)
    }

    @Test func aLineInPartsIsOneLine() throws {
        let lines = ["t stdout F 1", "t stdout P 2", "t stdout P 2", "t stdout F 2", "t stdout F 3"]
        #expect(try tail(2, lines) == Array(lines.dropFirst()))
        #expect(try tail(2, Array(lines.dropFirst(2)), rotated: Array(lines.prefix(2))) == Array(lines.dropFirst()))
    }

    @Test(arguments: [1, 3, 700, 4999, 5000, 9000]) func aLongLogIsReadFromItsEnd(_ limit: Int) throws {
        let lines = (0..<5000).map { "t stdout F \($0) \(String(repeating: "x", count: $0 % 97))" }
        #expect(try tail(limit, lines) == Array(lines.suffix(limit)))
        #expect(try tail(limit, Array(lines[4000...]), rotated: Array(lines[..<4000])) == Array(lines.suffix(limit)))
    }

    @Test func whatComesAfterTheTailFollows() throws {
        let log = try TestLog()
        try log.append("t stdout F 1\nt stdout F 2\nt std")
        let file = LogFile(path: log.path)
        try file.skipToTail(1)
        #expect(try file.rest() == ["t stdout F 2"])
        try log.append("out F 3\n")
        #expect(try file.rest() == ["t stdout F 3"])
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
        let log = try TestLog()
        let file = LogFile(path: log.path)
        #expect(try file.rest().isEmpty)
        try log.append("one\ntw")
        #expect(try file.rest() == ["one"])
        #expect(try file.rest().isEmpty)
        try log.append("o\n\nthree\n")
        #expect(try file.rest() == ["two", "", "three"])
    }

    @Test func rotatedFilesComeFirstTheOldestFirst() throws {
        let log = try TestLog()
        try log.append("5\n")
        try log.append("4\n", to: ".1")
        try log.append("3\n", to: ".2")
        try log.append("1\n", to: ".10")
        try log.append("no\n", to: ".gz")
        #expect(try LogFile(path: log.path).rest() == ["1", "3", "4", "5"])

        let kubelets = try TestLog()
        try kubelets.append("3\n")
        try kubelets.append("2\n", to: ".20260101-120000")
        try kubelets.append("1\n", to: ".20251231-235959")
        try kubelets.append("no\n", to: ".20251230-235959.gz")
        #expect(try LogFile(path: kubelets.path).rest() == ["1", "2", "3"])
    }

    @Test func aReaderFollowsThroughRotations() throws {
        let log = try TestLog()
        try log.append("1\n")
        let file = LogFile(path: log.path)
        #expect(try file.rest() == ["1"])
        // As a kubelet does it: the name goes first, and the writer goes on until it reopens the log.
        log.move(to: ".20260101-120000")
        #expect(try file.rest().isEmpty)
        try log.append("2\n", to: ".20260101-120000")
        #expect(try file.rest() == ["2"])
        try log.append("3\n", to: ".20260101-120000")
        try log.append("4\n")
        #expect(try file.rest() == ["3", "4"])
    }

    @Test func aReaderFollowsThroughSeveralRotationsAtOnce() throws {
        let log = try TestLog()
        try log.append("1\n")
        let file = LogFile(path: log.path)
        #expect(try file.rest() == ["1"])
        try log.append("2\n")
        log.move(to: ".1")
        try log.append("3\n")
        log.move(".1", to: ".2")
        log.move(to: ".1")
        try log.append("4\n")
        #expect(try file.rest() == ["2", "3", "4"])
        // The one that was read is gone.
        log.move(".1", to: ".2")
        log.move(to: ".1")
        try log.append("5\n")
        log.move(".1", to: ".2")
        log.move(to: ".1")
        try log.append("6\n")
        #expect(try file.rest() == ["5", "6"])
    }
}
