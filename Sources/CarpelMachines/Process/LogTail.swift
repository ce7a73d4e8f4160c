import Foundation

/// The end of a log, for an error message.
enum LogTail {
    /// The last lines of the file, at most `limit` bytes of them; empty if it cannot be read.
    private static func read(
        _ path: String, limit: UInt64, lines count: Int, skipping isNoise: (Substring) -> Bool = { _ in false }
    ) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "" }
        defer { try? file.close() }
        guard let end = try? file.seekToEnd() else { return "" }
        try? file.seek(toOffset: end > limit ? end - limit : 0)
        guard let data = try? file.readToEnd() else { return "" }
        let lines = String(decoding: data, as: UTF8.self)
            .split(whereSeparator: \.isNewline)
            .dropFirst(end > limit ? 1 : 0)
            .filter { !isNoise($0) }
        return lines.suffix(count).joined(separator: "\n")
    }

    /// The kernel's last words on its console: from its panic on, if there is one.
    static func console(_ path: String) -> String {
        let lines = read(path, limit: 16384, lines: 400).split(separator: "\n")
        let panic = lines.lastIndex { $0.contains("Kernel panic - not syncing") }
        return (panic.map { lines[$0...].prefix(20) } ?? lines.suffix(20)).joined(separator: "\n")
    }

    /// QEMU's words in the log that libvirt keeps of a domain; without the command line and libvirt's own lines.
    static func qemu(_ path: String) -> String {
        read(path, limit: 16384, lines: 20) { line in
            line.hasSuffix(" \\") || line.hasPrefix("-") || line.contains("starting up libvirt version:")
                || line.contains(" is tainted: ")
        }
    }
}
