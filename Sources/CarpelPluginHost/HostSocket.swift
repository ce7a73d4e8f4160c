import CarpelJSON
import Glibc
import Synchronization

/// The host's end of the socketpair. One thread reads at a time; any thread writes.
final class HostSocket: Sendable {
    /// Bytes of a message: a request of 16 MiB in hexadecimal digits, and its envelope.
    private static let mostLineLength = 33 << 20

    private let descriptor: Int32
    private let writing = Mutex(())

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// What has been read and is no whole line yet. It is the reading thread's.
    struct Buffer {
        fileprivate var bytes: [UInt8] = []
        /// Bytes that are known to hold no line end.
        fileprivate var searched = 0
    }

    enum Event {
        case line([UInt8])
        case timeout
        /// The daemon has closed its end or is gone, or has sent what is no message.
        case closed
    }

    /// The next line, waiting for it until `deadline` at most.
    ///
    /// - Parameter deadline: nanoseconds of CLOCK_MONOTONIC; nil waits as long as the daemon lives.
    func next(_ buffer: inout Buffer, until deadline: UInt64?) -> Event {
        while true {
            if let line = buffer.takeLine() { return .line(line) }
            guard buffer.bytes.count < Self.mostLineLength else { return .closed }
            guard waitUntilReadable(deadline) else { return .timeout }
            guard buffer.read(from: descriptor) else { return .closed }
        }
    }

    private func waitUntilReadable(_ deadline: UInt64?) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let result = Glibc.poll(&poll, 1, milliseconds(until: deadline))
            if result > 0 { return true }
            if result == 0 { return false }
            guard errno == EINTR else { return true }
        }
    }

    /// Sends the answer to the request `id`. The daemon may be gone, which the reader finds out.
    func answer(_ id: Int64, result: [UInt8]) {
        send(Array("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":".utf8), result)
    }

    func answer(_ id: Int64, error: HostFailure) {
        let head = "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"error\":"
        let data = "{\"code\":\"\(error.code.rawValue)\",\"reason\":\"\(error.reason)\"}"
        let message = JSONScanner.quoted(error.message)
        send(Array(head.utf8), Array("{\"code\":-32000,\"data\":\(data),\"message\":".utf8) + message + [0x7D])
    }

    private func send(_ head: [UInt8], _ value: [UInt8]) {
        // A line end between two tokens is space; within a string JSON has none.
        let line = head + value.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } + [0x7D, 0x0A]
        writing.withLock { _ in
            var sent = 0
            while sent < line.count {
                let count = line.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, line.count - sent, Int32(MSG_NOSIGNAL))
                }
                if count > 0 { sent += count } else if errno != EINTR { return }
            }
        }
    }
}

extension HostSocket.Buffer {
    fileprivate mutating func takeLine() -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: 0x0A) else {
            searched = bytes.count
            return nil
        }
        let line = Array(bytes[..<end])
        bytes.removeSubrange(...end)
        searched = 0
        return line
    }

    /// - Returns: false at the end.
    fileprivate mutating func read(from descriptor: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { chunk in
            while true {
                let count = Glibc.read(descriptor, chunk.baseAddress, chunk.count)
                if count > 0 {
                    bytes.append(contentsOf: chunk.prefix(count))
                    return true
                }
                if count == 0 || errno != EINTR { return false }
            }
        }
    }
}

func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// For poll(2), rounded up so that the deadline has passed when the time is up.
private func milliseconds(until deadline: UInt64?) -> Int32 {
    guard let deadline else { return -1 }
    let now = monotonicNanoseconds()
    guard deadline > now else { return 0 }
    return Int32(min((deadline - now + 999_999) / 1_000_000, UInt64(Int32.max)))
}
