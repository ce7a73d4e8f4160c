import CarpelNetlink
import Foundation
import TestSupport

/// Packets of SCTP by hand, in IPv4: not every kernel has sockets for it.
final class SCTPSocket: Sendable {
    private static let number: Int32 = 132
    private let descriptor: Int32

    init(in namespace: NetworkNamespace) async throws {
        descriptor = try await namespace.run { socket(AF_INET, Int32(SOCK_RAW.rawValue), Self.number) }
        guard descriptor >= 0 else { throw SupportError("no raw socket: errno \(errno)") }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// An INIT chunk (RFC 9260, 3.3.2).
    func sendInitiation(to address: String, port: UInt16) throws {
        var packet: [UInt8] = [0x12, 0x34, UInt8(port >> 8), UInt8(port & 0xff)] + [UInt8](repeating: 0, count: 8)
        packet += [1, 0, 0, 20, 0, 0, 0, 7, 0, 0, 0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 9]
        let checksum = crc32c(packet)
        for index in 0..<4 { packet[8 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index)) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_addr.s_addr = inet_addr(address)
        let sent = withUnsafePointer(to: &target) { target in
            target.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == packet.count else { throw SupportError("cannot send: errno \(errno)") }
    }

    func receivedInitiation() throws -> (source: String, port: UInt16) {
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = read(descriptor, &buffer, buffer.count)
        guard count >= 52 else { throw SupportError("nothing came: errno \(errno)") }
        let payload = Int(buffer[0] & 0x0f) * 4
        return (
            buffer[12..<16].map(String.init).joined(separator: "."),
            UInt16(buffer[payload + 2]) << 8 | UInt16(buffer[payload + 3])
        )
    }

    private func crc32c(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
        }
    }
}
