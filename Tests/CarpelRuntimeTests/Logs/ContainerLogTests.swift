import CarpelGuestProtocol
import Foundation
import TestSupport
import Testing

@testable import CarpelRuntime

@Suite struct ContainerLogTests {
    private func record(_ text: String, _ channel: OutputRecord.Channel = .stdout) -> OutputRecord {
        OutputRecord(sequence: 0, channel: channel, time: 1_700_000_000_000_000_123, bytes: Array(text.utf8))
    }

    private func format(_ text: String) -> [String] {
        var bytes: [UInt8] = []
        ContainerLog.format(record(text), into: &bytes)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast()
            .map { String($0.dropFirst("2023-11-14T22:13:20.000000123Z ".count)) }
    }

    @Test func timesHaveNanosecondsInUTC() {
        #expect(LogTime.format(1_700_000_000_000_000_123) == "2023-11-14T22:13:20.000000123Z")
    }

    @Test func wholeLinesAreFullEntries() {
        #expect(format("a\n\nb\n") == ["stdout F a", "stdout F ", "stdout F b"])
    }

    @Test func aLineWithoutEndIsPartial() {
        #expect(format("a\nb") == ["stdout F a", "stdout P b"])
    }

    @Test func longLinesAreSplit() {
        let entries = format(String(repeating: "x", count: ContainerLog.maximumEntryLength + 1) + "\n")
        #expect(entries.map { $0.prefix(9) } == ["stdout P ".prefix(9), "stdout F ".prefix(9)])
    }

    @Test func whatWasNotNotedIsCutOffSoThatNothingIsThereTwice() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/deep/0.log"
        var log = try ContainerLog(path: path)
        try log.append([record("first\n")])
        let noted = log.length
        try log.append([record("second\n", .stderr)])

        var again = try ContainerLog(path: path)
        again.truncate(to: noted)
        try again.append([record("second\n", .stderr)])
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last?.hasSuffix("stderr F second") == true)
    }
}
