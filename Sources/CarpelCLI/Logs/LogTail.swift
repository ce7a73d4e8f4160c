import Foundation

/// Finds where the last lines of a log begin, a line in several parts counted as one. It reads files from their ends.
struct LogTail {
    private static let block = 64 << 10

    /// Lines that are still wanted.
    private var wanted: Int

    init(limit: Int) { wanted = limit }

    /// Where in the file the last lines begin; nil if they begin in the one before it.
    mutating func start(in file: FileHandle) throws -> UInt64? {
        var position = try file.seekToEnd()
        // What is behind `position` but has no beginning yet.
        var rest: [UInt8] = []
        while position > 0 {
            let count = min(UInt64(Self.block), position)
            position -= count
            try file.seek(toOffset: position)
            var bytes = [UInt8](try file.read(upToCount: Int(count)) ?? Data()) + rest
            while let line = Self.lastLine(of: bytes, isFirst: position == 0) {
                if Self.endsLine(bytes[line]) {
                    if wanted == 0 { return position + UInt64(line.upperBound) }
                    wanted -= 1
                }
                bytes.removeSubrange(line)
            }
            rest = bytes
        }
        return nil
    }

    /// The last line whose beginning is known, with its end if that has been written.
    private static func lastLine(of bytes: [UInt8], isFirst: Bool) -> Range<Int>? {
        let before = bytes.dropLast().lastIndex(of: UInt8(ascii: "\n"))
        guard !bytes.isEmpty, before != nil || isFirst else { return nil }
        return (before.map { $0 + 1 } ?? 0)..<bytes.count
    }

    private static func endsLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.last == UInt8(ascii: "\n") else { return false }
        return !(LogLine(line.dropLast())?.isPartial ?? false)
    }
}
