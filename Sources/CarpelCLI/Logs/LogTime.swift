import CarpelCore
import Foundation

/// A point in time of a log, and the ways to write one.
enum LogTime {
    /// Nanoseconds since 1970 of an RFC 3339 time; nil if it is none.
    static func nanoseconds(rfc3339 text: some StringProtocol) -> Int64? {
        let text = String(text)
        guard let point = text.firstIndex(of: ".") else { return seconds(text).map { $0 * 1_000_000_000 } }
        let fraction = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
        guard (1...9).contains(fraction.count), let whole = seconds(text[..<point] + text[fraction.endIndex...]) else {
            return nil
        }
        let digits = String(fraction).padding(toLength: 9, withPad: "0", startingAt: 0)
        return Int64(digits).map { whole * 1_000_000_000 + $0 }
    }

    /// What `--since` means: an RFC 3339 time, or how long before `now`, such as `90s`, `10m` or `1h30m`.
    static func since(_ text: String, now: Date = Date()) throws -> Int64 {
        if let time = nanoseconds(rfc3339: text) { return time }
        guard let ago = secondsOfDuration(text) else {
            throw CarpelError(
                .invalidArgument, "invalidTime",
                "\"\(text)\" is neither a duration such as 10m or 1h30m nor a time such as 2026-01-31T12:00:00Z")
        }
        return (Int64(now.timeIntervalSince1970) - ago) * 1_000_000_000
    }

    private static func seconds(_ text: some StringProtocol) -> Int64? {
        (try? Date.ISO8601FormatStyle().parse(String(text))).map { Int64($0.timeIntervalSince1970) }
    }

    private static func secondsOfDuration(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        var total: Int64 = 0
        var digits = ""
        for character in text {
            if let unit = units[character] {
                guard let count = Int32(digits), count >= 0 else { return nil }
                total += Int64(count) * unit
                digits = ""
            } else {
                digits.append(character)
            }
        }
        return digits.isEmpty && !text.isEmpty ? total : nil
    }
}
