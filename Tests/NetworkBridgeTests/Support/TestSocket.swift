import CarpelNetlink
import Foundation
import TestSupport

@testable import NetworkBridge

/// A socket in a network namespace. Everything blocks, for some seconds at most.
final class TestSocket: Sendable {
    enum Transport { case tcp, udp }

    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    static func listening(
        in namespace: NetworkNamespace, _ transport: Transport, _ address: String, _ port: UInt16
    ) async throws -> TestSocket {
        let socket = try await make(in: namespace, transport, address)
        var one: Int32 = 1
        setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        try socket.call("bind to \(address)") {
            bind(socket.descriptor, $0, $1)
        } to: {
            (address, port)
        }
        if transport == .tcp, listen(socket.descriptor, 8) != 0 { throw SupportError("cannot listen: \(errno)") }
        return socket
    }

    static func connected(
        in namespace: NetworkNamespace, _ transport: Transport, _ address: String, _ port: UInt16
    ) async throws -> TestSocket {
        let socket = try await make(in: namespace, transport, address)
        try await namespace.run {
            try socket.call("connect to \(address):\(port)") {
                connect(socket.descriptor, $0, $1)
            } to: {
                (address, port)
            }
        }
        return socket
    }

    private static func make(
        in namespace: NetworkNamespace, _ transport: Transport, _ address: String
    ) async throws -> TestSocket {
        guard let family = IPAddress(address)?.family else { throw SupportError("\(address) is no address") }
        // A child process of another test would keep the port.
        let kind = Int32((transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try await namespace.run { socket(family.number, kind, 0) }
        guard descriptor >= 0 else { throw SupportError("no socket: \(errno)") }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        return TestSocket(descriptor)
    }

    func accepted() throws -> (TestSocket, peer: String) {
        var storage = sockaddr_storage()
        let connection = try withAddress(of: &storage) { accept(descriptor, $0, $1) }
        guard connection >= 0 else { throw SupportError("nobody has connected: errno \(errno)") }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        return (TestSocket(connection), storage.text)
    }

    func send(_ text: String) throws {
        guard Glibc.send(descriptor, text, text.utf8.count, 0) == text.utf8.count else {
            throw SupportError("cannot send: errno \(errno)")
        }
    }

    /// - Returns: what came, and from where.
    func received() throws -> (text: String, peer: sockaddr_storage) {
        var storage = sockaddr_storage()
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = try withAddress(of: &storage) { recvfrom(descriptor, &buffer, buffer.count, 0, $0, $1) }
        guard count > 0 else { throw SupportError("nothing came: errno \(errno)") }
        return (String(decoding: buffer.prefix(count), as: UTF8.self), storage)
    }

    /// Whether something has come that nobody has fetched.
    var hasReceived: Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) > 0
    }

    func reply(_ text: String, to peer: sockaddr_storage) throws {
        var peer = peer
        let sent = try withAddress(of: &peer) { sendto(descriptor, text, text.utf8.count, 0, $0, $1.pointee) }
        guard sent == text.utf8.count else { throw SupportError("cannot reply: errno \(errno)") }
    }

    private func call(
        _ what: String, _ function: (UnsafePointer<sockaddr>, socklen_t) -> Int32, to target: () -> (String, UInt16)
    ) throws {
        let (address, port) = target()
        var storage = try sockaddr_storage(address, port)
        let result = try withAddress(of: &storage) { function(UnsafePointer($0), $1.pointee) }
        guard result == 0 else { throw SupportError("cannot \(what): \(String(cString: strerror(errno)))") }
    }

    private func withAddress<Result>(
        of storage: inout sockaddr_storage,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) throws -> Result
    ) throws -> Result {
        var length =
            storage.ss_family == sa_family_t(AF_INET)
            ? socklen_t(MemoryLayout<sockaddr_in>.size) : socklen_t(MemoryLayout<sockaddr_storage>.size)
        return try withUnsafeMutablePointer(to: &storage) { storage in
            try storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, &length) }
        }
    }
}

extension sockaddr_storage {
    fileprivate init(_ address: String, _ port: UInt16) throws {
        self.init()
        guard let parsed = IPAddress(address) else { throw SupportError("\(address) is no address") }
        withUnsafeMutableBytes(of: &self) { bytes in
            bytes.storeBytes(of: sa_family_t(parsed.family.number), as: sa_family_t.self)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            let place = parsed.family == .ipv4 ? 4 : 8
            for (index, byte) in parsed.bytes.enumerated() { bytes[place + index] = byte }
        }
    }

    /// The address alone.
    var text: String {
        withUnsafeBytes(of: self) { bytes in
            let family: IPAddress.Family = ss_family == sa_family_t(AF_INET) ? .ipv4 : .ipv6
            let place = family == .ipv4 ? 4 : 8
            let value = bytes[place..<place + family.length / 8].reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            return IPAddress(family, value).description
        }
    }
}

/// Sends a word from one namespace to a server in another, and one back.
///
/// - Parameters:
///   - target: what the client connects to; nil: the server's address and port.
/// - Returns: who the server saw.
@discardableResult
func talk(
    _ transport: TestSocket.Transport, from client: NetworkNamespace, to target: (String, UInt16)? = nil,
    server: NetworkNamespace, at address: String, _ port: UInt16
) async throws -> String {
    let listener = try await TestSocket.listening(in: server, transport, address, port)
    let (name, number) = target ?? (address, port)
    let caller = try await TestSocket.connected(in: client, transport, name, number)
    try caller.send("ping")
    let peer: String
    if transport == .tcp {
        let (connection, seen) = try listener.accepted()
        guard try connection.received().text == "ping" else { throw SupportError("another word came") }
        try connection.send("pong")
        peer = seen
    } else {
        let (text, seen) = try listener.received()
        guard text == "ping" else { throw SupportError("another word came") }
        try listener.reply("pong", to: seen)
        peer = seen.text
    }
    guard try caller.received().text == "pong" else { throw SupportError("another word came back") }
    return peer
}
