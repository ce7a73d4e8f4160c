import CarpelNetlink
import CarpelPluginSDK
import Foundation

/// What joins a machine's tap device with the interface that a chain has made in the pod's namespace.
///
/// ```
/// host's namespace                                   pod's namespace
/// machine ══ tap ⇄ uplink ════ virtual Ethernet ════ downlink ⇄ interface ══ what the chain has made
/// ```
/// `⇄`: what arrives on one is sent out of the other one, by tc's redirect. A tap device of another namespace would be
/// simpler, but QEMU opens it by its name, in the namespace that it runs in.
struct PodLinks: Sendable {
    /// The pod's end of the virtual Ethernet.
    private static let downlink = "carpel-downlink"

    let key: AttachmentKey
    let namespace: NetworkNamespace
    let device: String
    let uplink: String

    /// Makes the links, and has the frames redirected.
    ///
    /// - Parameter group: whose processes may open the tap device.
    /// - Returns: the chain's interface.
    /// - Throws: `NetlinkError`, `PluginError` if the chain's interface is nothing that a machine can be joined to.
    func make(group: UInt32) async throws -> PodInterface {
        let interface = try await interface()
        let mtu = interface.mtu
        try await onOwnThread {
            let netlink = try Netlink()
            try TapDevice.make(device, group: group)
            try netlink.createVirtualEthernet(uplink, peer: Self.downlink, in: namespace, mtu: mtu)
            let tap = try netlink.required(device)
            let uplink = try netlink.required(uplink)
            for link in [tap, uplink] {
                quieten(link.name)
                let alias = "carpel \(key.podID) \(key.interfaceName)"
                try netlink.change(link.index, LinkChange(alias: alias, mtu: mtu, isUp: true))
            }
            try netlink.redirect(tap.index, to: uplink.index)
            try netlink.redirect(uplink.index, to: tap.index)
        }
        try await namespace.run {
            let netlink = try Netlink()
            let downlink = try netlink.required(Self.downlink)
            quieten(downlink.name)
            for index in [downlink.index, interface.index] { try netlink.change(index, LinkChange(isUp: true)) }
            try netlink.redirect(downlink.index, to: interface.index)
            try netlink.redirect(interface.index, to: downlink.index)
        }
        return interface
    }

    /// Throws if anything that ``make(group:)`` has made is missing or changed.
    func check(_ attachment: NetworkAttachment) async throws {
        guard namespace.exists else { throw missing("the namespace \(namespace.path)") }
        try await onOwnThread {
            let netlink = try Netlink()
            try require(netlink, device, to: uplink, mtu: attachment.mtu)
            try require(netlink, uplink, to: device, mtu: attachment.mtu)
        }
        try await namespace.run {
            let netlink = try Netlink()
            try require(netlink, Self.downlink, to: key.interfaceName, mtu: attachment.mtu)
            let link = try require(netlink, key.interfaceName, to: Self.downlink, mtu: attachment.mtu)
            guard link.macAddress == attachment.macAddress else {
                throw missing(
                    "the MAC address \(attachment.macAddress) of \(link.name): it is \(link.macAddress ?? "none")")
            }
        }
    }

    /// Makes links anew of which some are missing, around an interface that is as it was.
    ///
    /// - Returns: whether they are there again; not so if the chain would have to make its interface first.
    func repair(_ attachment: NetworkAttachment, group: UInt32) async throws -> Bool {
        guard namespace.exists else { return false }
        do {
            let interface = try await interface()
            guard interface.macAddress == attachment.macAddress, interface.mtu == attachment.mtu else { return false }
            try await remove()
            try await namespace.run { try Netlink().stopRedirecting(interface.index) }
            _ = try await make(group: group)
            try await check(attachment)
            return true
        } catch let error as PluginError {
            log(error.message)
            return false
        }
    }

    /// Takes away what is there of the links. What lives in the namespace goes with it.
    func remove() async throws {
        try await onOwnThread {
            let netlink = try Netlink()
            for name in [device, uplink] {
                if let link = try netlink.link(named: name) { try netlink.deleteLink(link.index) }
            }
        }
    }

    private func interface() async throws -> PodInterface {
        try await namespace.run {
            let netlink = try Netlink()
            guard let link = try netlink.link(named: key.interfaceName) else {
                throw unusable("the chain has made no interface \(key.interfaceName)")
            }
            guard link.isEthernet, let macAddress = link.macAddress else {
                throw unusable("\(link.name) (\(link.kind ?? "no kind")) is no Ethernet, which a machine's card is")
            }
            return PodInterface(
                index: link.index, name: link.name, macAddress: macAddress, mtu: link.mtu,
                addresses: try netlink.addresses(of: link.index), routes: try netlink.routes(over: link.index))
        }
    }

    @discardableResult
    private func require(_ netlink: Netlink, _ name: String, to target: String, mtu: Int) throws -> Link {
        guard let link = try netlink.link(named: name) else { throw missing("the device \(name)") }
        guard link.isUp else { throw missing("the device \(name), which is down,") }
        guard link.mtu == mtu else { throw missing("the MTU \(mtu) of \(name): it is \(link.mtu)") }
        let targetIndex = try netlink.link(named: target)?.index
        guard let targetIndex, try netlink.redirectTarget(of: link.index) == targetIndex else {
            throw missing("the redirection from \(name) to \(target)")
        }
        return link
    }

    // The namespaces' own IPv6 would send its solicitations to the machine and into the pod's network.
    private func quieten(_ device: String) {
        let path = "/proc/sys/net/ipv6/conf/\(device)/disable_ipv6"
        guard access(path, F_OK) == 0 else { return }
        do {
            try Data("1".utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            log("cannot keep IPv6 off \(device): \(error.localizedDescription)")
        }
    }

    private func missing(_ what: String) -> PluginError {
        PluginError(
            .failedPrecondition, "attachmentBroken",
            "\(key.podID) \(key.interfaceName): \(what) is no longer there; take the pod off the network and add it again"
        )
    }

    private func unusable(_ account: String) -> PluginError {
        PluginError(.failedPrecondition, "interfaceUnusable", "\(key.podID) \(key.interfaceName): \(account)")
    }
}

/// The interface that a chain has made, as the kernel describes it.
struct PodInterface: Sendable, Equatable {
    let index: Int32
    let name: String
    let macAddress: String
    /// Bytes.
    let mtu: Int
    let addresses: [LinkAddress]
    let routes: [LinkRoute]
}

extension Netlink {
    /// - Throws: `NetlinkError` with `ENODEV` if there is no such device.
    fileprivate func required(_ name: String) throws -> Link {
        guard let link = try link(named: name) else { throw NetlinkError("find the device \(name)", errorCode: ENODEV) }
        return link
    }
}
