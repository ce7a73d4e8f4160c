import CarpelGuestProtocol
import Glibc

/// A TCP connection to a port of the pod, its bytes on the stream of its request. Each side can end what it sends while
/// the other goes on.
final class PortConnection {
    private let port: UInt16
    private let stream: HostStream
    private let loop: EventLoop
    private let ended: () -> Void
    private var families = [AF_INET, AF_INET6]
    private var connecting: Descriptor?
    private var source: ByteSource?
    private var sink: ByteSink?
    private var hasSentAll = false

    init(to port: UInt16, on stream: HostStream, loop: EventLoop, ended: @escaping () -> Void) {
        self.port = port
        self.stream = stream
        self.loop = loop
        self.ended = ended
        stream.cancelled = { [weak self] in self?.abandon() }
        stream.writable = { [weak self] in self?.source?.resume() }
    }

    /// Tries the next address, until one answers.
    func connect(after failure: GuestFailure? = nil) {
        guard !families.isEmpty else {
            stream.finish(.failed(failure ?? refused(ECONNREFUSED)))
            return ended()
        }
        do throws(GuestFailure) {
            try connect(families.removeFirst())
        } catch {
            connect(after: failure ?? error)
        }
    }

    private func connect(_ family: Int32) throws(GuestFailure) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Descriptor(try check(Glibc.socket(family, kind, 0), "make a socket"))
        let result = family == AF_INET ? connectIPv4(socket) : connectIPv6(socket)
        if result == 0 { return try established(socket) }
        guard errno == EINPROGRESS else { throw refused(errno) }
        connecting = socket
        try loop.watch(socket, .writable) { [weak self] _ in self?.finishConnecting(socket) }
    }

    private func connectIPv4(_ socket: Descriptor) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return connect(socket, to: &address)
    }

    private func connectIPv6(_ socket: Descriptor) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        inet_pton(AF_INET6, "::1", &address.sin6_addr)
        return connect(socket, to: &address)
    }

    private func connect<Address>(_ socket: Descriptor, to address: inout Address) -> Int32 {
        withUnsafeBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return Glibc.connect(
                socket.number, start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }

    private func finishConnecting(_ socket: Descriptor) {
        loop.forget(socket)
        connecting = nil
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &error, &size)
        do throws(GuestFailure) {
            guard error == 0 else { throw refused(error) }
            try established(socket)
        } catch {
            connect(after: error)
        }
    }

    private func established(_ socket: Descriptor) throws(GuestFailure) {
        let writing = try duplicate(socket)
        var on: Int32 = 1
        setsockopt(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let sink = ByteSink(writing, loop: loop)
        sink.consumed = { [stream] in stream.consumed($0) }
        sink.finishing = { shutdown($0.number, Int32(SHUT_WR)) }
        sink.closed = { [weak self] in
            self?.sink = nil
            self?.finishIfDone()
        }
        stream.received = { [weak sink, stream] bytes in
            if let sink { sink.write(bytes) } else { stream.consumed(bytes.count) }
        }
        stream.inputEnded = { [weak sink] in sink?.closeWhenEmpty() }
        self.sink = sink
        let source = ByteSource(
            socket, loop: loop, room: { [stream] in stream.room },
            deliver: { [stream] in stream.send(Array($0), channel: 0) }, ended: { [weak self] in self?.sentAll() })
        self.source = source
        stream.respond(.done)
        source.resume()
    }

    /// The port has nothing more to send.
    private func sentAll() {
        hasSentAll = true
        guard let error = source?.error, error != 0 else {
            stream.respond(.done)
            return finishIfDone()
        }
        stream.finish(.failed(failure(error, .connectionReset, "read from port \(port)")))
        abandon()
    }

    private func finishIfDone() {
        guard hasSentAll, sink == nil, stream.isOpen else { return }
        stream.end()
        ended()
    }

    /// Nobody is there any more for its bytes.
    private func abandon() {
        if let connecting { loop.forget(connecting) }
        connecting = nil
        source?.close()
        sink?.close()
        ended()
    }

    private func refused(_ error: Int32) -> GuestFailure {
        failure(error, error == ECONNREFUSED ? .connectionRefused : .system, "connect to port \(port)")
    }
}

extension Agent {
    func connect(to port: UInt16, on stream: HostStream) {
        let id = stream.id
        let connection = PortConnection(to: port, on: stream, loop: loop) { [unowned self] in connections[id] = nil }
        connections[id] = connection
        connection.connect()
    }
}
