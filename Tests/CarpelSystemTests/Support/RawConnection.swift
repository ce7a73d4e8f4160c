import Foundation
import TestSupport

/// A client that keeps to no rule: it sends bytes when it likes, reads when it likes and hangs up when it likes.
final class RawConnection: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SupportError("socket: \(String(cString: strerror(errno)))") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            let error = String(cString: strerror(errno))
            close(descriptor)
            throw SupportError("connect: \(error)")
        }
    }

    deinit { close(descriptor) }

    /// - Returns: false if the daemon has hung up.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// - Returns: false if the daemon has hung up.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Says that nothing more will be sent, and reads on.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// All that comes until the daemon hangs up, or nothing more has come in time.
    func rest(within seconds: Int = 60) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: self.readAll(within: seconds)) }
        }
    }

    private func readAll(within seconds: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while let byte = readByte(until: time(nil) + seconds) { bytes.append(byte) }
        return bytes
    }

    /// The next line; nil if none has come in time or the daemon has hung up.
    func line(within seconds: Int = 60) async -> String? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: self.readLine(seconds)) }
        }
    }

    private func readLine(_ seconds: Int) -> String? {
        var line: [UInt8] = []
        let deadline = time(nil) + seconds
        while let byte = readByte(until: deadline) {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    /// Nil if the daemon has hung up, or none has come in time.
    private func readByte(until deadline: time_t) -> UInt8? {
        while time(nil) < deadline {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 1000) > 0 else { continue }
            var byte: UInt8 = 0
            return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
        }
        return nil
    }
}

extension Node {
    /// What the daemon has in memory, in MiB.
    func residentMebibytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
    }

    func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count
    }
}

extension Node {
    /// The soft limit of the daemon's descriptors.
    func descriptorLimit() throws -> Int {
        let limits = try String(contentsOfFile: "/proc/\(processID)/limits", encoding: .utf8)
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
        return line.split(whereSeparator: \.isWhitespace).dropFirst(3).first.flatMap { Int($0) } ?? 0
    }
}

/// Sets the test's soft limit of descriptors, which its children get; nil for its hard limit.
///
/// - Returns: what it is now.
@discardableResult
func limitDescriptors(to most: rlim_t? = nil) -> Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(most ?? limit.rlim_max, limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(limit.rlim_cur)
}
