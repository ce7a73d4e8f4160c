import CarpelCore
import Dispatch
import Foundation

/// A pipe between a thread that blocks on one end and tasks that wait at the other.
final class BlockingPipe: Sendable {
    private let queue = DispatchQueue(label: "pipe")
    private let work = DispatchQueue(label: "pipe work")
    private let reading: Int32
    private let writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw CarpelError(.resourceExhausted, "noPipe", "cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        (reading, writing) = (ends[0], ends[1])
    }

    /// Runs `body` with the end to read from, on a thread of its own; what is written later has no reader any more.
    func consuming(_ body: @escaping @Sendable (Int32) throws -> Void) async throws {
        try await run(work) { [reading] in
            defer { close(reading) }
            try body(reading)
        }
    }

    /// Runs `body` with the end to write to, on a thread of its own; that end is closed behind it.
    func producing(_ body: @escaping @Sendable (Int32) throws -> Void) async throws {
        try await run(work) { [writing] in
            defer { close(writing) }
            try body(writing)
        }
    }

    /// The next bytes, nil at the end.
    func read() async throws -> [UInt8]? {
        try await run(queue) { [reading] in
            var buffer = [UInt8](repeating: 0, count: 32 << 10)
            while true {
                let count = Glibc.read(reading, &buffer, buffer.count)
                if count > 0 { return Array(buffer[..<count]) }
                guard count < 0, errno == EINTR else { return nil }
            }
        }
    }

    /// - Returns: false if nobody reads any more.
    func write(_ bytes: [UInt8]) async throws -> Bool {
        try await run(queue) { [writing] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(writing, $0.baseAddress, $0.count) }
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
            }
            return true
        }
    }

    func closeReading() { close(reading) }
    func closeWriting() { close(writing) }

    private func run<Value: Sendable>(
        _ queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
