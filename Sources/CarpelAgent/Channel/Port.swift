import CLinux
import CarpelGuestProtocol
import Glibc

/// The virtio-serial port to the host, as bytes.
///
/// A port without a listener on the host's side reports a hangup for as long as that lasts, and reads as ended.
/// It is therefore watched for changes only.
final class Port {
    static let name = "dev.carpel.agent"
    /// With more than this waiting, whoever produces data should wait as well.
    static let congestion = 256 << 10

    private let loop: EventLoop
    let path: String
    private let descriptor: Descriptor
    private var outgoing: [UInt8] = []
    private var sent = 0
    /// Grows with every byte that the kernel has taken.
    private(set) var sentInAll: UInt64 = 0
    private var isReadDeferred = false

    var received: (ArraySlice<UInt8>) -> Void = { _ in }
    var hostLeft: () -> Void = {}
    /// Called now and then while there is one.
    var hostIsThere: () -> Void = {}
    /// Called when congestion is over.
    var drained: () -> Void = {}

    /// The device of the agent's port once the driver knows its name.
    static func find() -> String? {
        let folder = "/sys/class/virtio-ports"
        return Files.names(in: folder).first { Files.line("\(folder)/\($0)/name") == name }.map { "/dev/\($0)" }
    }

    init(_ path: String, loop: EventLoop) throws(GuestFailure) {
        self.loop = loop
        self.path = path
        descriptor = Descriptor(try check(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), "open \(path)"))
        try loop.watch(descriptor, [.readable, .writable, .edges]) { [weak self] events in
            guard let self else { return }
            read()
            // Asked again: the next host may have come since the event was collected.
            if events.contains(.hungUp), isHungUp { hostLeft() } else { hostIsThere() }
            flush()
        }
    }

    deinit { loop.forget(descriptor) }

    /// Something waits to be sent.
    var isWaiting: Bool { sent < outgoing.count }

    var isCongested: Bool { outgoing.count - sent > Self.congestion }

    /// Sends what `append` appends.
    func send(_ append: (inout [UInt8]) -> Void) {
        append(&outgoing)
        flush()
    }

    /// Forgets what the host has not been given yet.
    func discard() {
        outgoing = []
        sent = 0
    }

    /// Nobody listens on the host's side, as far as the kernel knows: it learns of that on another queue than the
    /// one that brings the bytes, later or earlier.
    var isHungUp: Bool {
        var poll = pollfd(fd: descriptor.number, events: 0, revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0 && poll.revents & Int16(POLLHUP) != 0
    }

    private func read() {
        // A host that never stops must not keep the loop from everything else.
        for _ in 0..<64 {
            let count = Glibc.read(descriptor.number, &loop.scratch, loop.scratch.count)
            if count > 0 {
                received(loop.scratch[..<count])
            } else if count == 0 || errno != EINTR {
                return
            }
        }
        guard !isReadDeferred else { return }
        isReadDeferred = true
        loop.later { [weak self] in
            self?.isReadDeferred = false
            self?.read()
        }
    }

    private func flush() {
        let wasCongested = isCongested
        while sent < outgoing.count {
            let count = outgoing[sent...].withUnsafeBytes {
                Glibc.write(descriptor.number, $0.baseAddress, min($0.count, 32 << 10))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            sent += count
            sentInAll += UInt64(count)
        }
        if sent == outgoing.count {
            outgoing.removeAll(keepingCapacity: outgoing.capacity <= 64 << 10)
            sent = 0
        } else if sent > 64 << 10 {
            outgoing.removeFirst(sent)
            sent = 0
        }
        if wasCongested, !isCongested { loop.later { [weak self] in self?.drained() } }
    }
}

extension Port {
    /// Takes the device away from its driver and gives it back: it starts afresh, with empty queues. The port comes
    /// back as a new one.
    ///
    /// - Parameter path: Of a port that is not open any more.
    static func restartDevice(of path: String) throws(GuestFailure) {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let link = try Files.link("/sys/class/virtio-ports/\(name)/device")
        let device = link.split(separator: "/").last.map(String.init) ?? ""
        for action in ["unbind", "bind"] {
            try Files.write(device, to: "/sys/bus/virtio/drivers/virtio_console/\(action)")
        }
    }
}
