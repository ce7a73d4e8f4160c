import CarpelGuestProtocol
import Foundation
import TestSupport

/// A connection to the machine's channel that keeps to no rules.
final class RawChannel {
    private let descriptor: Int32
    private let encoder: FrameEncoder

    init(_ path: String) throws {
        // Without blocking, so that a full backlog is an error instead of a wait.
        descriptor = try connectedSocket(path, flags: Int32(SOCK_NONBLOCK.rawValue))
        _ = fcntl(descriptor, F_SETFL, 0)
        let nonce = (0..<Hello.nonceSize).map { _ in UInt8.random(in: 0...255) }
        encoder = FrameEncoder(mask: nonce)
        try send(Hello(nonce: nonce).bytes)
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            rest = rest.dropFirst(try sendSome(of: rest))
            drain()
        }
    }

    func send(_ frame: Frame) throws { try send(encoded(frame)) }

    /// Leaves what the agent says where it is: for less than the socket holds.
    func sendWithoutReading(_ frame: Frame) throws {
        var rest = encoded(frame)[...]
        while !rest.isEmpty { rest = rest.dropFirst(try sendSome(of: rest)) }
    }

    private func encoded(_ frame: Frame) -> [UInt8] {
        var bytes: [UInt8] = []
        encoder.encode(frame, into: &bytes)
        return bytes
    }

    private func sendSome(of bytes: ArraySlice<UInt8>) throws -> Int {
        let count = bytes.withUnsafeBytes {
            Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw SupportError("the channel is closed") }
        return count
    }

    /// The agent has said something that nobody has taken yet.
    var hasSomethingToRead: Bool {
        var waiting: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &waiting) == 0 && waiting > 0
    }

    /// Takes what the agent says, so that it never has to wait.
    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
}

func connectedSocket(_ path: String, flags: Int32 = 0) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
    }
    guard result == 0 else {
        close(descriptor)
        throw SupportError("cannot connect to \(path)")
    }
    return descriptor
}
