import Foundation
import Glibc
import Synchronization

/// A process on a pseudo-terminal of its own, which the test reads and types on.
public final class TerminalProcess: Sendable {
    // As in ChildProcess: used from one task at a time.
    private nonisolated(unsafe) let process = Process()
    private let controller: Int32
    private let terminal: Int32
    private let written = Mutex<[UInt8]>([])

    public init(_ program: String, _ arguments: [String], columns: UInt16 = 100, rows: UInt16 = 30) throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (locked, number): (Int32, UInt32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN, which are not imported (ioctl_tty(2)).
        guard controller >= 0, ioctl(controller, 0x4004_5431, &locked) == 0,
            ioctl(controller, 0x8004_5430, &number) == 0
        else { throw SupportError("no pseudo-terminal: \(errno)") }
        terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        ioctl(controller, UInt(TIOCSWINSZ), &size)
        let side = FileHandle(fileDescriptor: terminal, closeOnDealloc: false)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }
        (process.standardInput, process.standardOutput, process.standardError) = (side, side, side)
        try process.run()
        Thread.detachNewThread { [self] in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case let count = read(controller, &chunk, chunk.count), count > 0 || count < 0 && errno == EINTR {
                written.withLock { $0 += chunk.prefix(max(0, count)) }
            }
        }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Everything that was written to the terminal, its control sequences included.
    public var output: String { written.withLock { String(decoding: $0, as: UTF8.self) } }

    /// What was written since it was cleared or drawn from its corner last.
    public var screen: String { output.components(separatedBy: "\u{1B}[H").last ?? "" }

    public func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(controller, bytes, bytes.count)
    }

    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Whether lines are edited and keys are echoed, as before a program that reads single keys.
    public var isCooked: Bool {
        var settings = termios()
        let wanted = tcflag_t(ICANON | ECHO | ISIG)
        return tcgetattr(terminal, &settings) == 0 && settings.c_lflag & wanted == wanted
    }

    /// - Returns: the exit code.
    public func end() async throws -> Int32 {
        try await eventually("the program on the terminal ends") { [self] in !process.isRunning }
        return process.terminationStatus
    }
}
