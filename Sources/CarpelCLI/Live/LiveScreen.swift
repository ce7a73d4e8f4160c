import CarpelAPI
@preconcurrency import Dispatch
import Foundation

/// The whole terminal, drawn anew again and again, and the keys that are pressed meanwhile.
///
/// What was on it comes back when the command ends, by a key, an error or a signal.
final class LiveScreen: Sendable {
    /// One byte a key; that of control and C too, since it ends nothing by itself.
    let keys: AsyncStream<UInt8>
    private let terminal: RawTerminal
    private let source: any DispatchSourceRead

    /// Nil if stdin or stdout is no terminal.
    init?() {
        guard Console.isTerminal(STDOUT_FILENO),
            let terminal = RawTerminal(
                farewell: "\u{1B}[?25h\u{1B}[?1049l", { $0.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG) })
        else { return nil }
        self.terminal = terminal
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
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(Int(Self.size.height))
        Console.out("\u{1B}[H" + lines.joined(separator: "\u{1B}[K\n") + "\u{1B}[J")
    }

    func end() {
        source.cancel()
        terminal.end()
    }

    static var size: TerminalSize { Window.size ?? TerminalSize(width: 80, height: 24) }
}
