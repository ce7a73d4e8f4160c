import CarpelCore
import Dispatch
import Foundation
import Glibc
import Synchronization

/// Words exchanged with the test guest over the agent's socket.
final class AgentConversation: Sendable {
    private let line: Mutex<BlockingLine>
    private let queue = DispatchQueue(label: "agent conversation")

    init(_ path: String) throws { line = Mutex(try BlockingLine(path)) }

    func say(_ word: String) async throws { try await run { try $0.say(word) } }

    /// Returns when the guest answers, which it does once it has booted.
    func waitUntilUp() async throws {
        try await run { line in
            try line.say("ping")
            while try line.next() != "pong" {}
        }
    }

    /// `name serial read-only` of each disk that the guest sees.
    func disks() async throws -> [String] {
        try await run { line in
            try line.say("disks")
            var disks: [String] = []
            while true {
                let next = try line.next()
                if next == "." { return disks }
                disks.append(next)
            }
        }
    }

    /// Off the cooperative pool: reading blocks.
    private func run<Value: Sendable>(_ body: @escaping @Sendable (inout BlockingLine) throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: Result { try line.withLock { try body(&$0) } })
            }
        }
    }
}

private struct BlockingLine: Sendable {
    private let socket: FileHandle
    private var buffer = Data()

    init(_ path: String) throws {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        socket = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            throw CarpelError(.unavailable, "connect", "\(path): \(String(cString: strerror(errno)))")
        }
    }

    func say(_ word: String) throws { try socket.write(contentsOf: Data("\(word)\n".utf8)) }

    mutating func next() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                defer { buffer = Data(buffer[(end + 1)...]) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(socket.fileDescriptor, &bytes, bytes.count)
            guard count > 0 else { throw CarpelError(.unavailable, "read", "the guest said nothing more: \(errno)") }
            buffer.append(contentsOf: bytes[..<count])
        }
    }
}
