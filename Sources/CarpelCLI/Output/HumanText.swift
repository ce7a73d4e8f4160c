import CarpelCore
import Foundation

/// Ids, times and sizes as people read them.
enum HumanText {
    /// The first 13 characters of an id, what stands before `:` left out.
    static func shortID(_ id: String) -> String {
        let digits = id.split(separator: ":").last ?? ""
        return String(digits.prefix(13))
    }

    /// An image's name as in a table: ids are shortened, references stay.
    static func image(_ name: String) -> String {
        name.hasPrefix("sha256:") ? shortID(name) : name
    }

    /// How long ago: `42s`, `5m`, `3h`, `2d`; empty for a time that is not set.
    static func age(since nanoseconds: Int64, now: Date = Date()) -> String {
        guard nanoseconds > 0 else { return "" }
        let seconds = max(0, Int64(now.timeIntervalSince1970) - nanoseconds / 1_000_000_000)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86400)d"
        }
    }

    static func size(_ bytes: UInt64) -> String {
        ByteCount(Int64(clamping: bytes)).description
    }

    /// `<1 ms`, `12 ms`, `1.93 s`.
    static func duration(nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds < 1 { return "<1 ms" }
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        let hundredths = milliseconds % 1000 / 10
        return "\(milliseconds / 1000).\(hundredths < 10 ? "0" : "")\(hundredths) s"
    }

    /// A state's name without the type's in front: `CONTAINER_RUNNING` as `running`.
    static func state(_ name: String) -> String {
        String(name.split(separator: "_").last ?? "").lowercased()
    }
}
