import Foundation
import Glibc
import Synchronization

/// A process on a pseudo-terminal of its own, driven as by a person: it gets keys and is told when the window changes.
public final class TerminalProcess: Sendable {
    private let process = Process()
    private let controller: Int32
    private let written = Mutex(Written())

    private struct Written {
        var bytes: [UInt8] = []
        /// How many of them are behind what was waited for.
        var seen = 0
    }

    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], columns: UInt16 = 80,
        rows: UInt16 = 24
    ) throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        var (locked, number): (Int32, UInt32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN, which are not imported (ioctl_tty(2)).
        guard controller >= 0, ioctl(controller, 0x4004_5431, &locked) == 0,
            ioctl(controller, 0x8004_5430, &number) == 0, let side = FileHandle(forUpdatingAtPath: "/dev/pts/\(number)")
        else { throw SupportError("no pseudo-terminal: \(errno)") }
        // setsid makes the terminal the controlling one: keys become signals until the program says otherwise.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
        process.arguments = ["--ctty", "--wait", program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }
            .merging(environment) { $1 }
        (process.standardInput, process.standardOutput, process.standardError) = (side, side, side)
        resize(rows: rows, columns: columns)
        try process.run()
        try side.close()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        close(controller)
    }

    /// Everything that was written to the terminal, its control sequences included.
    public var output: String { written { String(decoding: $0.bytes, as: UTF8.self) } }

    /// What was written since it was cleared or drawn from its corner last.
    public var screen: String { output.components(separatedBy: "\u{1B}[H").last ?? "" }

    public func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(controller, bytes, bytes.count)
    }

    public func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
    }

    /// Signals the program alone, which `setsid` has started and waits for.
    public func signal(_ number: Int32) throws {
        let parent = process.processIdentifier
        let children = try String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)
        kill(children.split(separator: " ").first.flatMap { Int32($0) } ?? parent, number)
    }

    /// Whether lines are edited and keys are echoed, as before a program that reads single keys.
    public var isCooked: Bool {
        var settings = termios()
        let wanted = tcflag_t(ICANON | ECHO | ISIG)
        return tcgetattr(controller, &settings) == 0 && settings.c_lflag & wanted == wanted
    }

    /// Waits until this has been written since the last call.
    public func waits(for text: String) async throws {
        try await eventually("the terminal shows \"\(text)\"; it shows \(output.suffix(500))", within: .seconds(60)) {
            written { written in
                let rest = written.bytes[written.seen...]
                guard let range = rest.firstRange(of: Array(text.utf8)) else { return false }
                written.seen = range.upperBound
                return true
            }
        }
    }

    /// Waits for the program's end.
    ///
    /// - Returns: the exit code.
    public func end() async throws -> Int32 {
        try await eventually("the program on the terminal ends; it shows \(output.suffix(500))", within: .seconds(60)) {
            written { _ in !process.isRunning }
        }
        return process.terminationStatus
    }

    private func written<Value: Sendable>(_ body: (inout sending Written) -> sending Value) -> Value {
        written.withLock { written in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while case let count = read(controller, &buffer, buffer.count), count > 0 {
                written.bytes += buffer.prefix(count)
            }
            return body(&written)
        }
    }
}
