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
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw SupportError("the channel is closed") }
            rest = rest.dropFirst(count)
            drain()
        }
    }

    func send(_ frame: Frame) throws {
        var bytes: [UInt8] = []
        encoder.encode(frame, into: &bytes)
        try send(bytes)
    }

    /// Returns when the agent's bytes fill the socket: they have come, and no more come.
    func waitUntilFull() {
        let deadline = ContinuousClock.now + .seconds(2)
        var (waiting, seen, same): (Int32, Int32, Int) = (0, 0, 0)
        repeat {
            usleep(2000)
            _ = ioctl(descriptor, UInt(FIONREAD), &waiting)
            same = waiting == seen ? same + 1 : 0
            seen = waiting
        } while (waiting < 100_000 || same < 5) && ContinuousClock.now < deadline
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
