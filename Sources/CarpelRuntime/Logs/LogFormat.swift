import CarpelGuestProtocol
import Foundation

// A log's entries: time, stream, `F` or `P` (the line goes on), text.
// Source: Kubernetes' "CRI: Log Management" and the kubelet's reader, which joins `P` entries.
extension ContainerLog {
    /// Bytes of text in one entry; longer lines are split.
    static let maximumEntryLength = 16 << 10

    /// A record's entries. Bytes without an end of line become a `P` entry at once: nothing is held back in memory.
    static func text(of record: OutputRecord) -> [UInt8] {
        var text: [UInt8] = []
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
        return text
    }
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
