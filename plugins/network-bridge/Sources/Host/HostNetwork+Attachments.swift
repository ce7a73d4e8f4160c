import CarpelNetlink
import CarpelPluginSDK
import Glibc

extension HostNetwork {
    /// Gives a pod its tap. Repeated, it mends what is not as it should be.
    ///
    /// - Throws: `CancellationError` between two steps; half of the attachment may be there then, as after any error.
    func attach(
        _ attachment: AttachmentRecord, on network: Network, among all: () throws -> [AttachmentRecord]
    ) throws {
        try Task.checkCancellation()
        try Forwarding.enable(network.families, interfaces: interfaces())
        let bridge = try ensureBridge(of: network, among: all)
        try Task.checkCancellation()
        // The rules are there before the first frame can be.
        try addRules(for: attachment, among: all)
        forgetConnections(to: attachment.portMappings)
        try Task.checkCancellation()
        let tap = try ensureTap(of: attachment)
        try limit(attachment, tap: tap)
        try Task.checkCancellation()
        try join(tap, of: attachment, to: bridge, of: network)
    }

    /// Who goes on sending datagrams to a port of the host would go on reaching who had it before, if anyone: rules are
    /// for the first packet of a connection, and a datagram's has no end.
    private func forgetConnections(to mappings: [ValidRequest.Mapping]) {
        do {
            for mapping in mappings where mapping.transport == .udp {
                for family in mapping.hostAddress.families {
                    try connections.forget(
                        family: family.number, transport: UInt8(IPPROTO_UDP), destinationPort: mapping.hostPort)
                }
            }
        } catch {
            log("who has sent datagrams to a port before may not reach the pod that has it now: \(error)")
        }
    }

    /// Takes everything of an attachment away; what is not there is fine.
    func detach(_ attachment: AttachmentRecord, among all: () throws -> [AttachmentRecord]) throws {
        for name in [attachment.limiter, attachment.device] {
            guard let link = try netlink.link(named: name), isOurs(link, of: attachment) else { continue }
            try netlink.deleteLink(link.index)
        }
        try removeRules(of: attachment, among: all)
    }

    /// Whether a guest may be using the attachment.
    func isAttached(_ attachment: AttachmentRecord) throws -> Bool {
        guard let tap = try netlink.link(named: attachment.device) else { return false }
        return isOurs(tap, of: attachment) && tap.master != nil && tap.isUp
    }

    /// Deletes devices that carry our mark and belong to no attachment.
    ///
    /// - Returns: whose they were.
    func removeDevices(except known: Set<AttachmentKey>) throws -> [AttachmentKey] {
        var removed: [AttachmentKey] = []
        for link in try netlink.links() {
            guard let key = link.alias.flatMap(ownership.key), !known.contains(key) else { continue }
            try netlink.deleteLink(link.index)
            if !removed.contains(key) { removed.append(key) }
        }
        return removed
    }

    private func interfaces() throws -> [String] {
        Forwarding.missing([.ipv6]).isEmpty ? [] : try netlink.links().map(\.name)
    }

    private func ensureTap(of attachment: AttachmentRecord) throws -> Int32 {
        let alias = ownership.alias(of: attachment.key)
        if let tap = try netlink.link(named: attachment.device) {
            guard isOurs(tap, of: attachment) else {
                throw PluginError(
                    .failedPrecondition, "deviceTaken", "the device \(attachment.device) is somebody else's")
            }
            return tap.index
        }
        var index: Int32 = 0
        try TapDevice.make(attachment.device, group: machineGroup) {
            guard let tap = try netlink.link(named: attachment.device) else {
                throw NetlinkError("find the tap device \(attachment.device)", errorCode: ENODEV)
            }
            try netlink.change(tap.index, LinkChange(alias: alias))
            index = tap.index
        }
        // The host itself has nothing to say on the pod's side of the bridge.
        try silence(attachment.device)
        return index
    }

    private func silence(_ device: String) throws {
        if Sysctl.read("ipv6/conf/\(device)/disable_ipv6") != nil {
            try Sysctl.set("ipv6/conf/\(device)/disable_ipv6", "1")
        }
    }

    /// What the pod receives waits in the tap; what it sends waits in a device of its own, on the way to the bridge.
    private func limit(_ attachment: AttachmentRecord, tap: Int32) throws {
        if let bucket = attachment.request.bandwidth?.ingressBitsPerSecond.flatMap(TokenBucket.init(bitsPerSecond:)) {
            try netlink.setTokenBucket(bucket, on: tap)
        }
        guard
            let bucket = attachment.request.bandwidth?.egressBitsPerSecond.flatMap(TokenBucket.init(bitsPerSecond:))
        else {
            return
        }
        let limiter = try ensureLimiter(of: attachment)
        try netlink.setTokenBucket(bucket, on: limiter)
        guard try netlink.redirectTarget(of: tap) != limiter else { return }
        // Half of it may be there.
        try netlink.endRedirect(of: tap)
        try netlink.redirect(tap, to: limiter)
    }

    private func ensureLimiter(of attachment: AttachmentRecord) throws -> Int32 {
        let name = attachment.limiter
        let existing = try netlink.link(named: name)
        if let existing, !isOurs(existing, of: attachment) {
            throw PluginError(.failedPrecondition, "deviceTaken", "the device \(name) is somebody else's")
        }
        let index = try existing?.index ?? netlink.createLink(kind: "ifb", name: name)
        try silence(name)
        try netlink.change(
            index, LinkChange(alias: ownership.alias(of: attachment.key), mtu: attachment.answer.mtu, isUp: true))
        return index
    }

    /// A device of the record's name without an alias was being made when the plugin was killed.
    func isOurs(_ link: Link, of attachment: AttachmentRecord) -> Bool {
        link.alias.map { $0 == ownership.alias(of: attachment.key) } ?? ["tun", "ifb"].contains(link.kind)
    }
}

extension AttachmentRecord {
    func portSettings(on network: Network) -> BridgePortSettings {
        BridgePortSettings(isIsolated: network.isIsolated, isHairpin: usesHairpin)
    }
}

extension TokenBucket {
    /// What a request may ask for, as in Kubernetes: a kilobit to a petabit.
    static let acceptedBits: ClosedRange<UInt64> = 1000...1_000_000_000_000_000

    /// - Returns: nil for a rate beyond 2^31 bytes a second, which the kernel's interface cannot name and no tap reaches.
    init?(bitsPerSecond: UInt64) {
        let rate = Int(bitsPerSecond / 8)
        guard rate <= Int(Int32.max) else { return nil }
        // A hundredth of a second's worth, and no less than a few frames.
        self.init(rate: rate, burst: max(rate / 100, 32 << 10))
    }
}
