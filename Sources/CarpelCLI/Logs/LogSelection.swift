/// Which lines of a log to print, and how.
struct LogSelection: Equatable {
    /// Nanoseconds since 1970; nil for all.
    var since: Int64?
    var timestamps = false

    /// What a line of the file is printed as, and where; nil if it is left out.
    func rendering(_ line: ArraySlice<UInt8>) -> (bytes: [UInt8], stream: LogLine.Stream)? {
        guard let entry = LogLine(line) else { return (line + [UInt8(ascii: "\n")], .stdout) }
        if let since, let time = LogTime.nanoseconds(rfc3339: entry.timestamp), time < since { return nil }
        let prefix = timestamps ? Array("\(entry.timestamp) ".utf8) : []
        return (prefix + entry.content + (entry.isPartial ? [] : [UInt8(ascii: "\n")]), entry.stream)
    }
}

/// The last lines of a log, a line in several parts counted as one.
struct LogTail {
    private let limit: Int
    private var kept: [ArraySlice<UInt8>] = []

    init(limit: Int) { self.limit = limit }

    mutating func add(_ lines: [ArraySlice<UInt8>]) {
        kept += lines
        if kept.count > 2 * limit + 1000 { kept = newest(limit) }
    }

    var lines: [ArraySlice<UInt8>] { newest(limit) }

    private func newest(_ limit: Int) -> [ArraySlice<UInt8>] {
        var whole = 0
        for index in kept.indices.reversed() where !(LogLine(kept[index])?.isPartial ?? false) {
            whole += 1
            if whole > limit { return Array(kept[(index + 1)...]) }
        }
        return kept
    }
}
