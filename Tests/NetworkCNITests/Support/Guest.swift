import CLibnl
import CarpelNetlink
import CarpelPluginSDK
import Foundation
import TestSupport

/// Stands in for a machine: a network namespace whose card is the other end of the pod's tap device.
///
/// It opens the tap device as QEMU does, with virtio's header, and carries the frames to and from a tap device that is
/// the guest's card.
final class Guest: Sendable {
    private let namespaces: NamespaceHolder
    private let wire: Wire

    /// - Parameter offloads: whether checksums and segmentation are left to the other side, as virtio's driver and QEMU
    ///   agree on by default.
    init(_ attachment: NetworkAttachment, on node: Node, offloads: Bool = true) async throws {
        namespaces = try await NamespaceHolder(
            "--net", log: "\(node.folder.path)/guest.log", prepare: "ip link set lo up")
        let machine = try await node.namespaces.network.run { try Wire.end(attachment.device, offloads) }
        let card = try await namespaces.network.run { try Wire.end("eth0", offloads) }
        wire = try Wire(machine, card)
        var commands = [
            "ip link set eth0 address \(attachment.macAddress) mtu \(attachment.mtu)",
            "ip link set eth0 up",
        ]
        commands += attachment.addresses.map { "ip address add \($0.address) dev eth0" }
        commands += attachment.routes.map { route in
            "ip route add \(route.destination) \(route.gateway.map { "via \($0)" } ?? "") dev eth0"
        }
        try await namespaces.run(commands.joined(separator: " && "))
        // The bridge's hairpin sends the guest its own question whether its address is taken.
        let namespaces = namespaces
        try await eventually("the guest has its addresses") {
            try await !namespaces.run("ip -6 address show dev eth0").contains("tentative")
        }
    }

    /// Runs a command in the guest.
    @discardableResult
    func run(_ command: String) async throws -> String { try await namespaces.run(command) }
}

/// Carries frames between two tap devices until it is gone.
private final class Wire: Sendable {
    private let ends: [Int32]
    private let stop: Int32

    /// Opens a device of the calling thread's namespace.
    static func end(_ device: String, _ offloads: Bool) throws -> Int32 {
        let end = try TapDevice.open(device)
        let features = offloads ? CInt(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) : 0
        guard ioctl(end, UInt(carpel_tunsetoffload), features) == 0 else {
            throw SupportError("cannot leave checksums to the other side: \(String(cString: strerror(errno)))")
        }
        return end
    }

    init(_ first: Int32, _ second: Int32) throws {
        ends = [first, second]
        var pipeEnds: [Int32] = [0, 0]
        guard pipe(&pipeEnds) == 0 else { throw SupportError("cannot make a pipe") }
        stop = pipeEnds[1]
        let stopped = pipeEnds[0]
        Thread { [ends] in
            var frame = [UInt8](repeating: 0, count: 128 << 10)
            var watched = (ends + [stopped]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            while poll(&watched, 3, -1) > 0, watched[2].revents == 0 {
                for (index, other) in [(0, ends[1]), (1, ends[0])] where watched[index].revents & Int16(POLLIN) != 0 {
                    let count = read(ends[index], &frame, frame.count)
                    if count > 0 { _ = write(other, frame, count) }
                }
                // A device that has been taken away.
                for index in 0...1 where watched[index].revents & Int16(POLLERR) != 0 { watched[index].fd = -1 }
            }
            for end in ends + [stopped] { close(end) }
        }.start()
    }

    deinit { close(stop) }
}
