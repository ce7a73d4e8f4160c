import CarpelCore
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
        String(decoding: ContainerLog.text(of: record(text)), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        )
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

    private struct Place {
        let folder: TemporaryFolder
        var path: String { "\(folder.path)/deep/0.log" }

        init() throws { folder = try TemporaryFolder() }

        func log(rotation: LogRotation? = nil) throws -> ContainerLog {
            try ContainerLog(
                path: path, notes: "\(folder.path)/notes",
                from: LogPlace(sequence: 0, offset: 0, lost: LostOutput()), rotation: rotation)
        }

        func texts(_ name: String = "deep/0.log") throws -> [String] {
            try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8).split(separator: "\n")
                .compactMap { $0.split(separator: " ").last.map(String.init) }
        }

        /// As if the daemon had died after this much of the file had been written.
        func shorten(_ name: String = "deep/0.log", by bytes: Int) throws {
            let path = "\(folder.path)/\(name)"
            let length = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            #expect(truncate(path, off_t(length - bytes)) == 0)
        }
    }

    /// Numbered, of two bytes each.
    private func record(_ number: UInt64) -> OutputRecord {
        OutputRecord(
            sequence: number, channel: .stdout, time: 1_700_000_000_000_000_123 + number,
            bytes: Array("\(number)\n".utf8), offset: 2 * number)
    }

    @Test func aNewDaemonGoesOnBehindWhatIsThere() throws {
        let place = try Place()
        let log = try place.log()
        for number in 0...2 as ClosedRange<UInt64> { try log.append(record(number)) }

        let next = try place.log()
        #expect(next.place == LogPlace(sequence: 3, offset: 6, lost: LostOutput()))
        // What it has already is not written twice.
        try next.append(record(2))
        try next.append(record(3))
        #expect(try place.texts() == ["0", "1", "2", "3"])
    }

    @Test(arguments: [1, 7, 1000]) func aRecordThatWasHalfWrittenComesAgain(missing bytes: Int) throws {
        let place = try Place()
        let log = try place.log()
        try log.append(record(0))
        try log.append(record(1))
        let entry = ContainerLog.text(of: record(1)).count
        try place.shorten(by: min(bytes, entry))

        let next = try place.log()
        #expect(next.place.sequence == 1 && next.place.offset == 2)
        try next.append(record(1))
        #expect(try place.texts() == ["0", "1"])
    }

    @Test func whatTheAgentDroppedIsCounted() throws {
        let place = try Place()
        #expect(try place.log().append(record(0)) == LostOutput())
        #expect(try place.log().append(record(5)) == LostOutput(records: 4, bytes: 8))
        let next = try place.log()
        #expect(next.place.lost == LostOutput(records: 4, bytes: 8))
        #expect(try next.append(record(7)) == LostOutput(records: 1, bytes: 2))
        #expect(try place.log().place.lost == LostOutput(records: 5, bytes: 10))
        #expect(try place.texts() == ["0", "5", "7"])
    }

    @Test func aReopenedLogGoesOnInTheNewFile() throws {
        let place = try Place()
        let log = try place.log()
        try log.append(record(0))
        #expect(rename(place.path, place.path + ".20260101-000000") == 0)
        try log.append(record(1))
        try log.reopen()
        try log.append(record(2))
        #expect(try place.texts("deep/0.log.20260101-000000") == ["0", "1"])
        #expect(try place.texts() == ["2"])
        // Nothing was moved: nothing changes.
        try log.reopen()
        try log.append(record(3))
        #expect(try place.texts() == ["2", "3"])
    }

    /// The daemon dies between the file's renaming and its reopening, in the middle of a record.
    @Test func aRecordThatWasHalfWrittenToARotatedFileGoesToTheNewOne() throws {
        let place = try Place()
        let log = try place.log()
        try log.append(record(0))
        try log.append(record(1))
        #expect(rename(place.path, place.path + ".old") == 0)
        try place.shorten("deep/0.log.old", by: 3)

        let next = try place.log()
        try next.append(record(1))
        #expect(try place.texts("deep/0.log.old") == ["0"])
        #expect(try place.texts() == ["1"])
    }

    @Test func aRotatedFileThatIsGoneHadItsLastRecord() throws {
        let place = try Place()
        try place.log().append(record(0))
        #expect(unlink(place.path) == 0)
        #expect(try place.log().place.sequence == 1)
    }

    @Test func aLogIsRotatedBySizeAndTheOldestFileGoes() throws {
        let place = try Place()
        let entry = ContainerLog.text(of: record(0)).count
        let rotation = LogRotation(maximumSize: ByteCount(Int64(2 * entry)), maximumFiles: 3)
        for number in 0...8 as ClosedRange<UInt64> { try place.log(rotation: rotation).append(record(number)) }
        #expect(try place.texts() == ["8"])
        #expect(try place.texts("deep/0.log.1") == ["6", "7"])
        #expect(try place.texts("deep/0.log.2") == ["4", "5"])
        #expect(!FileManager.default.fileExists(atPath: place.path + ".3"))

        // Fewer files than before.
        let alone = LogRotation(maximumSize: ByteCount(Int64(entry)), maximumFiles: 1)
        try place.log(rotation: alone).append(record(9))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.folder.path + "/deep") == ["0.log"])
        #expect(try place.texts() == ["9"])
    }
}
