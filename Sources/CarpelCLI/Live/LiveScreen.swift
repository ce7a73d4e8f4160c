@preconcurrency import Dispatch
import Foundation
import Synchronization

/// The whole terminal, drawn anew again and again, and the keys that are pressed meanwhile.
///
/// What was on it comes back when the command ends, by a key, an error, SIGINT or SIGTERM.
final class LiveScreen: Sendable {
    /// What the terminal was before. The handlers of a process's end can reach nothing but a global.
    private static let former = Mutex<termios?>(nil)

    /// One byte a key; that of control and C too, since it ends nothing by itself.
    let keys: AsyncStream<UInt8>
    private let source: any DispatchSourceRead

    /// Nil if stdin or stdout is no terminal.
    init?() {
        var settings = termios()
        guard Console.isTerminal(STDIN_FILENO), Console.isTerminal(STDOUT_FILENO),
            tcgetattr(STDIN_FILENO, &settings) == 0
        else { return nil }
        Self.former.withLock { $0 = settings }
        atexit { LiveScreen.restore() }
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
        // The alternate screen, without a cursor.
        Console.out("\u{1B}[?1049h\u{1B}[?25l")

        let (stream, continuation) = AsyncStream.makeStream(of: UInt8.self)
        keys = stream
        source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
        source.setEventHandler { [source] in
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            for byte in bytes.prefix(max(0, count)) { continuation.yield(byte) }
            if count == 0 {
                source.cancel()
                continuation.finish()
            }
        }
        source.activate()
    }

    /// Shows `text`, cut to the lines that there are.
    func draw(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(Self.size.rows)
        Console.out("\u{1B}[H" + lines.joined(separator: "\u{1B}[K\n") + "\u{1B}[J")
    }

    func end() {
        source.cancel()
        Self.restore()
    }

    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    private static func restore() {
        former.withLock { former in
            guard var settings = former else { return }
            Console.out("\u{1B}[?25h\u{1B}[?1049l")
            tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
            former = nil
        }
    }
}
