import CarpelNetlink
import CarpelPluginSDK
import Foundation
import TestSupport

/// What stands for a machine: a network namespace whose card's frames go through the pod's tap, as QEMU would pass them.
final class Guest: Sendable {
    let attachment: NetworkAttachment
    let namespace: NetworkNamespace
    private let host: TestHost
    private let cable: Cable

    init(_ attachment: NetworkAttachment, in host: TestHost) async throws {
        self.attachment = attachment
        self.host = host
        namespace = try await host.makeNamespace(attachment.device)
        let card = try await namespace.run { try TapDevice.open("eth0") }
        let tap = try await host.openTap(attachment.device)
        cable = try Cable(card, tap)
        try await namespace.run {
            try Self.write("0", to: "/proc/sys/net/ipv6/conf/eth0/accept_dad")
            let netlink = try Netlink()
            guard let link = try netlink.link(named: "eth0") else { throw SupportError("no eth0") }
            let change = LinkChange(macAddress: attachment.macAddress, mtu: attachment.mtu, isUp: true)
            try netlink.change(link.index, change)
            for address in attachment.addresses { try netlink.addAddress(address.address, to: link.index) }
        }
        for route in attachment.routes {
            try await namespace.shell("ip route add \(route.destination) via \(route.gateway ?? "") dev eth0")
        }
    }

    deinit { cable.cut() }

    var ipv4: String { get throws { try attachment.ipv4 } }
    var ipv6: String { get throws { try attachment.ipv6 } }

    private static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        guard Glibc.write(file, text, text.utf8.count) > 0 else { throw SupportError("cannot write \(path)") }
    }
}

/// Carries frames between two tap devices until it is cut, on a thread of its own.
final class Cable: Sendable {
    /// The cable ends when this end of a pipe is closed.
    private let hand: Int32

    /// - Parameter taps: two descriptors of tap devices, which the cable closes.
    init(_ taps: Int32...) throws {
        var pipe: [Int32] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { throw SupportError("no pipe") }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        hand = pipe[1]
        let end = pipe[0]
        Thread { Self.carry(between: taps, until: end) }.start()
    }

    func cut() { close(hand) }

    private static func carry(between taps: [Int32], until end: Int32) {
        var frame = [UInt8](repeating: 0, count: 70_000)
        var waits = (taps + [end]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while poll(&waits, nfds_t(waits.count), -1) >= 0, waits[2].revents == 0 {
            for (source, target) in [(0, 1), (1, 0)] where waits[source].revents & Int16(POLLIN) != 0 {
                let count = read(taps[source], &frame, frame.count)
                if count > 0 { write(taps[target], frame, count) }
            }
        }
        for descriptor in taps + [end] { close(descriptor) }
    }
}
