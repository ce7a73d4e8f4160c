import CarpelNetlink
import CarpelPluginSDK
import Glibc

extension HostNetwork {
    /// Makes the network's bridge, or makes it what it must be.
    ///
    /// - Parameter all: every attachment: somebody may have deleted the bridge under them.
    /// - Returns: its index.
    /// - Throws: ``PluginError`` with `bridgeTaken` or `subnetTaken`, ``NetlinkError``, ``SysctlError``.
    func ensureBridge(of network: Network, among all: () throws -> [AttachmentRecord]) throws -> Int32 {
        var found = try netlink.link(named: network.bridge)
        if let link = found, try !isOurs(link, bridge: network.bridge) { found = nil }
        let index = try found?.index ?? createBridge(of: network)
        if found == nil { try rejoin(all().filter { $0.network == network.name }, to: index, of: network) }
        let alias = ownership.bridgeAlias
        if let found, found.alias == alias, found.mtu == network.mtu, found.isUp {
            // Somebody may have taken an address from it, which the next pod would need.
            if try missingAddresses(of: network, on: index).isEmpty { return index }
        }
        try configure(network.bridge, for: network.families)
        try netlink.change(index, LinkChange(alias: alias, mtu: network.mtu, isUp: true))
        try setAddresses(of: network, on: index)
        return index
    }

    /// - Returns: false if the device was a dead plugin's, and is gone now.
    /// - Throws: ``PluginError`` with `bridgeTaken`.
    private func isOurs(_ link: Link, bridge: String) throws -> Bool {
        if link.alias == ownership.bridgeAlias { return true }
        if link.alias == nil, link.macAddress == "\(ownership.macAddress(ofBridge: bridge))" { return true }
        if let alias = link.alias, let dead = DeadOwner(alias: alias) {
            try removeAll(of: dead)
            return false
        }
        throw PluginError(
            .failedPrecondition, "bridgeTaken",
            """
            the device \(bridge) is somebody else's\(link.alias.map { " (\($0))" } ?? ""); \
            configure another bridge for the network, or delete it with ip link delete \(bridge)
            """)
    }

    /// What a plugin has left whose state folder is gone.
    private func removeAll(of owner: DeadOwner) throws {
        log("removing what the plugin in \(owner.stateFolder) has left: the folder is gone")
        for link in try netlink.links() where link.alias?.hasPrefix("carpel:\(owner.id):") == true {
            try netlink.deleteLink(link.index)
        }
        try removeTables(of: owner.id)
    }

    private func createBridge(of network: Network) throws -> Int32 {
        let taken = try netlink.addresses().compactMap { entry in
            IPAddress(entry.address).map { Subnet(of: $0, prefixLength: entry.prefixLength) }
        }
        for pool in network.pools {
            guard let other = taken.first(where: { $0.overlaps(pool.subnet) }) else { continue }
            throw PluginError(
                .failedPrecondition, "subnetTaken",
                "\(pool.subnet) overlaps \(other), which a device of the host has; configure other subnets")
        }
        return try netlink.createLink(
            kind: "bridge", name: network.bridge,
            macAddress: "\(ownership.macAddress(ofBridge: network.bridge))", mtu: network.mtu)
    }

    private func rejoin(_ attachments: [AttachmentRecord], to bridge: Int32, of network: Network) throws {
        for attachment in attachments {
            guard let tap = try netlink.link(named: attachment.device), isOurs(tap, of: attachment) else { continue }
            try join(tap.index, of: attachment, to: bridge, of: network)
        }
    }

    func join(_ tap: Int32, of attachment: AttachmentRecord, to bridge: Int32, of network: Network) throws {
        try netlink.change(tap, LinkChange(mtu: attachment.answer.mtu, master: bridge))
        try netlink.setBridgePort(tap, attachment.portSettings(on: network))
        try netlink.change(tap, LinkChange(isUp: true))
    }

    private func configure(_ bridge: String, for families: Set<IPAddress.Family>) throws {
        // What the host sends to 127.0.0.1 goes to a pod when its port is mapped, and its answer comes back.
        try Sysctl.set("ipv4/conf/\(bridge)/route_localnet", "1")
        guard Sysctl.read("ipv6/conf/\(bridge)/disable_ipv6") != nil else { return }
        guard families.contains(.ipv6) else {
            // Else pods reached the host by its link-local address.
            return try Sysctl.set("ipv6/conf/\(bridge)/disable_ipv6", "1")
        }
        try Sysctl.set("ipv6/conf/\(bridge)/disable_ipv6", "0")
        // No pod tells the host where to send its packets, and a second of asking for duplicates is a second's wait.
        try Sysctl.set("ipv6/conf/\(bridge)/accept_ra", "0")
        try Sysctl.set("ipv6/conf/\(bridge)/accept_dad", "0")
    }

    private func setAddresses(of network: Network, on index: Int32) throws {
        let wanted = network.gateways
        for address in try netlink.addresses(of: index) where address.isGlobal && address.isPermanent {
            let text = "\(address.address)/\(address.prefixLength)"
            if !wanted.contains(text) { try netlink.deleteAddress(text, from: index) }
        }
        for address in wanted { try netlink.addAddress(address, to: index) }
    }

    func missingAddresses(of network: Network, on index: Int32) throws -> [String] {
        let present = Set(try netlink.addresses(of: index).map { "\($0.address)/\($0.prefixLength)" })
        return network.gateways.filter { !present.contains($0) }
    }

    /// Deletes bridges that the configuration no longer has.
    func removeUnusedBridges() throws {
        let links = try netlink.links()
        let used = Set(networks.map(\.bridge))
        for link in links where link.alias == ownership.bridgeAlias && !used.contains(link.name) {
            guard !links.contains(where: { $0.master == link.index }) else { continue }
            try netlink.deleteLink(link.index)
        }
    }
}

/// A plugin whose state folder is gone.
private struct DeadOwner {
    let id: String
    let stateFolder: String

    /// - Returns: nil if the alias is no bridge's of such a plugin, or its folder may still be there.
    init?(alias: String) {
        let parts = alias.split(separator: ":", maxSplits: 2).map(String.init)
        guard parts.count == 3, parts[0] == "carpel", parts[2].hasPrefix("/") else { return nil }
        // A longer one has lost its end.
        guard alias.utf8.count < 255 else { return nil }
        guard access(parts[2], F_OK) != 0, errno == ENOENT else { return nil }
        (id, stateFolder) = (parts[1], parts[2])
    }
}

extension Network {
    /// The bridge's addresses, with their prefixes.
    var gateways: [String] { pools.map { "\($0.gateway)/\($0.subnet.prefixLength)" } }
}
