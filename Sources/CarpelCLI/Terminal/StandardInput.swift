import Dispatch
import Foundation

/// The bytes of stdin as they come, read only when somebody asks for them.
final class StandardInput: Sendable {
    private static let chunk = 32 << 10

    private let queue = DispatchQueue(label: "stdin")
    /// Becomes readable when nobody wants to read any more: a thread that waits for a key must not take the next one.
    private let stopping: (reading: Int32, writing: Int32)

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        stopping = (ends[0], ends[1])
    }

    deinit {
        close(stopping.reading)
        close(stopping.writing)
    }

    /// What comes next; nil at the end, or once the task is cancelled.
    func next() async -> [UInt8]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.read()) }
            }
        } onCancel: {
            var byte: UInt8 = 0
            Glibc.write(stopping.writing, &byte, 1)
        }
    }

    private func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        while true {
            var ready = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stopping.reading, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&ready, 2, -1) >= 0 || errno == EINTR, ready[1].revents == 0 else { return nil }
            guard ready[0].revents != 0 else { continue }
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 { return Array(buffer[..<count]) }
            guard count < 0, errno == EINTR || errno == EAGAIN else { return nil }
        }
    }
}
