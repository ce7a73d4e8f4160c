import CarpelCore
import CarpelGuestProtocol
import Foundation

/// A container's log file in CRI's format: time, stream, `F` or `P` (the line goes on), text.
///
/// Source: Kubernetes' "CRI: Log Management" and the kubelet's reader, which joins `P` entries.
struct ContainerLog {
    /// Bytes of text in one entry; longer lines are split.
    static let maximumEntryLength = 16 << 10

    private let descriptor: FileDescriptorBox
    private(set) var length: Int64

    init(path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard opened >= 0 else {
            throw CarpelError(
                .failedPrecondition, "logNotWritable",
                "cannot open the container's log \(path): \(String(cString: strerror(errno)))")
        }
        descriptor = FileDescriptorBox(opened)
        length = Int64(lseek(opened, 0, SEEK_END))
    }

    /// Cuts off what lies beyond `length`: records written by a daemon that died before it could note them.
    mutating func truncate(to length: Int64) {
        guard length < self.length, ftruncate(descriptor.number, off_t(length)) == 0 else { return }
        self.length = length
    }

    mutating func append(_ records: [OutputRecord]) throws {
        var text: [UInt8] = []
        for record in records { Self.format(record, into: &text) }
        var written = 0
        while written < text.count {
            let count = text.withUnsafeBytes {
                write(descriptor.number, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                ftruncate(descriptor.number, off_t(length))
                throw CarpelError(
                    errno == ENOSPC ? .resourceExhausted : .internal, errno == ENOSPC ? "noSpace" : "logNotWritable",
                    "cannot write a container's log: \(String(cString: strerror(errno)))")
            }
            written += count
        }
        length += Int64(written)
    }

    /// Bytes without an end of line become a `P` entry at once: nothing is held back in memory.
    static func format(_ record: OutputRecord, into text: inout [UInt8]) {
        let prefix = Array("\(LogTime.format(record.time)) \(record.channel == .stdout ? "stdout" : "stderr") ".utf8)
        var rest = record.bytes[...]
        while !rest.isEmpty {
            let entry = rest.prefix(maximumEntryLength)
            let end = entry.firstIndex(of: UInt8(ascii: "\n"))
            text += prefix
            text += end == nil ? Array("P ".utf8) : Array("F ".utf8)
            text += entry[..<(end ?? entry.endIndex)]
            text.append(UInt8(ascii: "\n"))
            rest = rest[(end.map { $0 + 1 } ?? entry.endIndex)...]
        }
    }
}

/// Closes the descriptor with its last owner.
final class FileDescriptorBox: Sendable {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { close(number) }
}

enum LogTime {
    /// RFC 3339 with nanoseconds, in UTC.
    static func format(_ nanoseconds: UInt64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
            + "T\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
            + ".\(padded(Int32(nanoseconds % 1_000_000_000), 9))Z"
    }

    private static func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
