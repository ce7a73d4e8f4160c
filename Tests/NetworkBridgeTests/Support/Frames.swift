import Foundation
import TestSupport

@testable import NetworkBridge

/// An Ethernet frame by hand, with a word by which it is found again.
typealias Frame = [UInt8]

extension Frame {
    static let everyone: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

    private static func ethernet(_ target: [UInt8], _ source: MACAddress, _ kind: UInt16, _ payload: [UInt8]) -> [UInt8]
    {
        target + source.bytes + [UInt8(kind >> 8), UInt8(kind & 0xff)] + payload
    }

    /// An answer nobody asked for: "`address` is at `owner`".
    static func arp(from source: MACAddress, owner: MACAddress, _ address: IPAddress, word: String) -> [UInt8] {
        let body = [0, 1, 8, 0, 6, 4, 0, 2] + owner.bytes + address.bytes + everyone + address.bytes
        return ethernet(everyone, source, 0x0806, body + Array(word.utf8))
    }

    static func udp(
        from source: MACAddress, _ sender: IPAddress, to target: IPAddress, tag: [UInt8] = [], port: UInt16 = 7,
        word: String
    ) -> [UInt8] {
        let text = Array(word.utf8)
        let datagram = bytes(4000) + bytes(port) + bytes(UInt16(8 + text.count)) + [0, 0] + text
        let packet = ip(from: sender, to: target, protocol: 17, datagram)
        let kind: UInt16 = sender.family == .ipv4 ? 0x0800 : 0x86dd
        guard tag.isEmpty else {
            return everyone + source.bytes + tag + bytes(kind) + packet
        }
        return ethernet(everyone, source, kind, packet)
    }

    /// A message of ICMPv6 with an address in its ninth byte, as neighbor discovery has them.
    ///
    /// - Parameter options: whether a header with options comes before it.
    static func icmpv6(
        _ kind: UInt8, from source: MACAddress, _ sender: IPAddress, about target: IPAddress, options: Bool = false,
        word: String
    ) -> [UInt8] {
        let message = [kind, 0, 0, 0, 0x20, 0, 0, 0] + target.bytes + Array(word.utf8)
        let everyNode = IPAddress(.ipv6, UInt128(0xff02) << 112 | 1)
        let packet =
            options
            ? ip(from: sender, to: everyNode, protocol: 60, [58, 0, 1, 4, 0, 0, 0, 0] + message)
            : ip(from: sender, to: everyNode, protocol: 58, message)
        return ethernet([0x33, 0x33, 0, 0, 0, 1], source, 0x86dd, packet)
    }

    static func other(from source: MACAddress, kind: UInt16, word: String) -> [UInt8] {
        ethernet(everyone, source, kind, Array(word.utf8) + [UInt8](repeating: 0, count: 46))
    }

    private static func ip(
        from sender: IPAddress, to target: IPAddress, protocol number: UInt8, _ payload: [UInt8]
    ) -> [UInt8] {
        guard sender.family == .ipv4 else {
            return [0x60, 0, 0, 0] + bytes(UInt16(payload.count)) + [number, 255] + sender.bytes + target.bytes
                + payload
        }
        var header = [0x45, 0] + bytes(UInt16(20 + payload.count)) + [0, 0, 0, 0, 64, number, 0, 0]
        header += sender.bytes + target.bytes
        let sum = stride(from: 0, to: 20, by: 2).reduce(UInt32(0)) {
            $0 + UInt32(header[$1]) << 8 + UInt32(header[$1 + 1])
        }
        let folded = (sum & 0xffff) + (sum >> 16)
        let checksum = ~UInt16(truncatingIfNeeded: (folded & 0xffff) + (folded >> 16))
        header.replaceSubrange(10..<12, with: bytes(checksum))
        return header + payload
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }
}

/// A machine's end of its tap, for a test that is the machine.
final class Wire: Sendable {
    private static let header = [UInt8](repeating: 0, count: 10)
    private let descriptor: Int32

    init(_ device: String, in host: TestHost) async throws {
        descriptor = try await host.openTap(device)
    }

    deinit { close(descriptor) }

    func send(_ frame: [UInt8]) throws {
        let bytes = Self.header + frame
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw SupportError("cannot send a frame: errno \(errno)")
        }
    }

    /// Every frame until one has the word in it, which is the last one.
    func frames(until word: String) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 70_000)
        while !(frames.last.map { contains($0, word) } ?? false) {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 5000) == 1 else {
                throw SupportError("none of \(frames.count) frames says \(word)")
            }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > Self.header.count else { throw SupportError("cannot receive: errno \(errno)") }
            frames.append(Array(buffer[Self.header.count..<count]))
        }
        return frames
    }
}

func contains(_ frame: [UInt8], _ word: String) -> Bool { Data(frame).range(of: Data(word.utf8)) != nil }
