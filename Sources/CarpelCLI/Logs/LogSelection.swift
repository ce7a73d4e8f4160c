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
