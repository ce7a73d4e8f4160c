import CarpelAPI
@preconcurrency import Dispatch
import Foundation
import Synchronization

/// The terminal on stdin, set to hand keys through, until this ends or the process does.
final class RawTerminal: Sendable {
    /// What the terminal was before, and what is to be written to it then. The handlers of a process's end can reach
    /// nothing but a global.
    private static let former = Mutex<(settings: termios, farewell: String)?>(nil)
    private let signals: [any DispatchSourceSignal]

    /// Nil if stdin is no terminal.
    ///
    /// - Parameters:
    ///   - farewell: Control sequences that undo what was drawn meanwhile.
    ///   - change: What is set; without it every key is handed through as it is.
    init?(farewell: String = "", _ change: (inout termios) -> Void = { cfmakeraw(&$0) }) {
        var settings = termios()
        guard Console.isTerminal(STDIN_FILENO), tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        let former = (settings, farewell)
        Self.former.withLock { $0 = former }
        atexit { RawTerminal.restore() }
        // `Interruption` has the others: they end what is under way first.
        signals = [SIGHUP, SIGQUIT].map { number in
            onSignal(number) {
                RawTerminal.restore()
                _exit(128 + number)
            }
        }
        change(&settings)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    deinit { end() }

    func end() {
        for signal in signals { signal.cancel() }
        Self.restore()
    }

    static func restore() {
        let former = former.withLock { former in
            defer { former = nil }
            return former
        }
        guard let former else { return }
        var settings = former.settings
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
        // Last, and without the lock: where the terminal is gone, it ends the process, which comes here again.
        Console.out(former.farewell)
    }
}

/// The size of the terminal that shows the output.
enum Window {
    static var size: TerminalSize? {
        for descriptor in [STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO] {
            var size = winsize()
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
                return TerminalSize(width: size.ws_col, height: size.ws_row)
            }
        }
        return nil
    }

    /// The size now, and each that it changes to.
    static var sizes: AsyncStream<TerminalSize> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let source = onSignal(SIGWINCH) { if let size { continuation.yield(size) } }
            continuation.onTermination = { _ in source.cancel() }
            if let size { continuation.yield(size) }
        }
    }
}

/// Calls `action` for each signal, until the result is cancelled, in place of what the signal does by itself.
func onSignal(_ number: Int32, _ action: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: action)
    source.setCancelHandler { signal(number, SIG_DFL) }
    source.resume()
    return source
}
