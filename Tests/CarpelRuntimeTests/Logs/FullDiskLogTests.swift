import CarpelCore
import CarpelGuestProtocol
import Foundation
import TestSupport
import Testing

@testable import CarpelRuntime

/// Logs in a small file system of their own.
@Suite(.enabled(if: geteuid() == 0, "mounts are root's"))
struct FullDiskLogTests {
    private let folder: TemporaryFolder
    private var notes: String { "\(folder.path)/notes" }

    init() throws { folder = try TemporaryFolder() }

    private func open(_ log: String, _ rotation: LogRotation? = nil) throws -> ContainerLog {
        try ContainerLog(
            path: log, notes: notes, from: LogPlace(sequence: 0, offset: 0, lost: LostOutput()), rotation: rotation)
    }

    private static let length: UInt64 = 1000

    /// A line with its number.
    private func record(_ number: UInt64) -> OutputRecord {
        let digits = Array("\(number)".utf8)
        let line = digits + [UInt8](repeating: 0x20, count: Int(Self.length) - digits.count - 1) + [0x0A]
        return OutputRecord(
            sequence: number, channel: .stdout, time: 1_700_000_000_000_000_123, bytes: line,
            offset: number * Self.length)
    }

    private func numbers(_ path: String) throws -> [Int] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap {
            $0.split(separator: " ").last.flatMap { Int($0) }
        }
    }

    @Test func whatFindsNoRoomIsThereOnceWhenThereIsSome() async throws {
        let disk = try await SmallDisk(at: "\(folder.path)/disk", "size=64k")
        let path = "\(disk.path)/0.log"
        let log = try open(path)
        var next: UInt64 = 0
        let full = #expect(throws: CarpelError.self) {
            while next < 1000 {
                try log.append(record(next))
                next += 1
            }
        }
        #expect(full?.code == .resourceExhausted && full?.reason == "noSpace")
        #expect(next > 0 && log.place == LogPlace(sequence: next, offset: next * Self.length, lost: LostOutput()))
        #expect(throws: CarpelError.self) { try log.append(record(next)) }
        // No half of it is there, and another daemon finds the same.
        #expect(try numbers(path) == Array(0..<Int(next)))
        let later = try open(path)
        #expect(later.place == log.place)
        #expect(throws: CarpelError.self) { try later.append(record(next)) }

        try await disk.change("size=1m")
        for number in next..<(next + 20) { #expect(try later.append(record(number)) == LostOutput()) }
        #expect(try numbers(path) == Array(0..<Int(next + 20)))
    }

    /// Each attempt once moved all files on by one number, until none of the old ones was left.
    @Test func aRotationWithoutRoomForItsNewFileKeepsTheOldOnes() async throws {
        // The folder, the log and a rotated one.
        let disk = try await SmallDisk(at: "\(folder.path)/disk", "size=1m,nr_inodes=3")
        let path = "\(disk.path)/0.log"
        let rotation = LogRotation(maximumSize: ByteCount(1500), maximumFiles: 4)
        let log = try open(path, rotation)
        try log.append(record(0))
        try log.append(record(1))
        for _ in 0..<5 {
            let full = #expect(throws: CarpelError.self) { try log.append(record(2)) }
            #expect(full?.reason == "noSpace")
        }
        #expect(try numbers("\(path).1") == [1] && numbers("\(path).2") == [0])
        let refusal = #expect(throws: CarpelError.self) { try log.reopen() }
        #expect(refusal?.reason == "noSpace")
        #expect(throws: CarpelError.self) { try open(path, rotation) }

        try await disk.change("nr_inodes=10")
        try log.append(record(2))
        #expect(try numbers(path) == [2] && numbers("\(path).1") == [1] && numbers("\(path).2") == [0])
        #expect(log.place.lost == LostOutput())
    }
}
