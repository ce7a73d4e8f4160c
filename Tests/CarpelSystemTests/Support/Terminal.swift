import Foundation
import TestSupport

/// A program in a pseudo-terminal, driven as by a person: it gets keys, and is told when the window changes.
final class TerminalProgram: @unchecked Sendable {
    // The master is used from the test's one task; the process is only asked about its end.
    private let master: Int32
    private let process = Process()
    private(set) var screen = ""

    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], rows: UInt16 = 24,
        columns: UInt16 = 80
    ) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: UInt32 = 0
        // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)), which glibc hides from Swift.
        guard master >= 0, ioctl(master, 0x4004_5431, &unlocked) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
            throw SupportError("there is no pseudo-terminal")
        }
        let path = "/dev/pts/\(number)"
        // setsid makes the terminal the controlling one: keys become signals until the program says otherwise.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
        process.arguments = ["--ctty", "--wait", program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        guard let slave = FileHandle(forUpdatingAtPath: path) else { throw SupportError("cannot open \(path)") }
        process.standardInput = slave
        process.standardOutput = slave
        process.standardError = slave
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        resize(rows: rows, columns: columns)
        try process.run()
        try slave.close()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        close(master)
    }

    func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        write(master, bytes, bytes.count)
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Signals the program alone, which `setsid` has started and waits for.
    func signal(_ number: Int32) throws {
        let parent = process.processIdentifier
        let children = try String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)
        kill(children.split(separator: " ").first.flatMap { Int32($0) } ?? parent, number)
    }

    /// Waits until this has appeared since the last call.
    func waits(for text: String) async throws {
        try await eventually("the terminal shows \"\(text)\"; it shows \(screen.suffix(500))", within: .seconds(60)) {
            read()
            return screen.contains(text)
        }
        if let range = screen.range(of: text) { screen = String(screen[range.upperBound...]) }
    }

    /// Waits for the program's end.
    func exitCode() async throws -> Int32 {
        try await eventually("the program ends; it shows \(screen.suffix(500))", within: .seconds(60)) {
            read()
            return !process.isRunning
        }
        return process.terminationStatus
    }

    /// Whether typed characters are shown and lines are edited by the terminal itself, as a shell leaves it.
    var isCooked: Bool {
        var settings = termios()
        return tcgetattr(master, &settings) == 0
            && settings.c_lflag & tcflag_t(ECHO | ICANON) == tcflag_t(ECHO | ICANON)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(master, &buffer, buffer.count), count > 0 {
            screen += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
