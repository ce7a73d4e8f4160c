import Dispatch
import Foundation

/// The process's own streams.
enum Console {
    static func out(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }
    static func err(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// One line on stderr with the program's name in front.
    static func complain(_ message: String) { err("carpel: \(message)\n") }

    /// Writes all of `bytes`. A reader that is gone ends the process, as SIGPIPE would.
    static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) {
        var rest = ArraySlice(Array(bytes))
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                exit(128 + SIGPIPE)
            }
        }
    }

    private static let waiting = DispatchQueue(label: "output")

    /// As `write`, where the reader may take its time while other things go on.
    static func writeWaiting(_ bytes: [UInt8], to descriptor: Int32) async {
        await withCheckedContinuation { continuation in
            waiting.async {
                write(bytes, to: descriptor)
                continuation.resume()
            }
        }
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Columns of the terminal, or 80.
    static func width(of descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
