import CarpelNetlink
import Foundation

/// A file that says which program works on an attachment.
///
/// A CNI plugin outlives the process that started it. Whoever comes next must not work beside it, so it is ended first.
struct RunningProgram: Sendable {
    let path: String

    private struct Content: Codable {
        let processID: Int32
        /// Clock ticks since the boot: tells it from a later process of the same number.
        let startTime: UInt64
    }

    /// - Throws: `NetlinkError` if it cannot be written; the program must not go on then.
    func write(_ processID: Int32) throws {
        guard let startTime = Self.startTime(of: processID) else { return }
        let content = try JSONEncoder().encode(Content(processID: processID, startTime: startTime))
        try content.write(to: URL(fileURLWithPath: path))
    }

    func clear() { unlink(path) }

    /// Ends a program that an earlier process has left, with all that it has started.
    func end() async throws {
        guard let bytes = FileManager.default.contents(atPath: path) else { return }
        if let content = try? JSONDecoder().decode(Content.self, from: bytes),
            Self.startTime(of: content.processID) == content.startTime
        {
            kill(-content.processID, SIGKILL)
            try await onOwnThread { Self.waitForEnd(of: content.processID, content.startTime) }
        }
        clear()
    }

    // SIGKILL takes effect in its own time, and nobody tells: the process is another one's child.
    private static func waitForEnd(of processID: Int32, _ startTime: UInt64) {
        while state(of: processID) != "Z", self.startTime(of: processID) == startTime { usleep(1000) }
    }

    private static func startTime(of processID: Int32) -> UInt64? { UInt64(fields(of: processID, 19) ?? "") }
    private static func state(of processID: Int32) -> String? { fields(of: processID, 0) }

    /// - Parameter index: after the program's name, which may hold anything.
    private static func fields(of processID: Int32, _ index: Int) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return index < fields.count ? String(fields[index]) : nil
    }
}
