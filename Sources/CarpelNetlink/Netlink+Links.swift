import CLibnl
import Glibc

/// A network device as the kernel described it.
public struct Link: Sendable, Hashable {
    /// Bytes of a link's name, at most.
    public static let longestName = 15

    public let index: Int32
    public let name: String
    /// What `ip link set … alias` has set.
    public let alias: String?
    /// `bridge`, `veth`, `tun`; nil for a device of no driver's own kind.
    public let kind: String?
    /// Six hexadecimal bytes separated by colons.
    public let macAddress: String?
    /// Bytes.
    public let mtu: Int
    /// The index of the bridge that the device is a port of.
    public let master: Int32?
    public let isUp: Bool
    /// Whether its frames are Ethernet's.
    public let isEthernet: Bool

    init(_ link: OpaquePointer) {
        index = rtnl_link_get_ifindex(link)
        name = rtnl_link_get_name(link).map { String(cString: $0) } ?? ""
        alias = rtnl_link_get_ifalias(link).map { String(cString: $0) }
        kind = rtnl_link_get_type(link).map { String(cString: $0) }
        macAddress = rtnl_link_get_addr(link).map(text)
        mtu = Int(rtnl_link_get_mtu(link))
        let master = rtnl_link_get_master(link)
        self.master = master > 0 ? master : nil
        isUp = rtnl_link_get_flags(link) & upFlag != 0
        isEthernet = rtnl_link_get_arptype(link) == ethernetType
    }
}

/// What is to become of a device; what is nil stays as it is.
public struct LinkChange: Sendable, Hashable {
    public var name: String?
    public var alias: String?
    public var macAddress: String?
    /// Bytes.
    public var mtu: Int?
    /// The index of the bridge to become a port of; 0: of none.
    public var master: Int32?
    public var isUp: Bool?

    public init(
        name: String? = nil, alias: String? = nil, macAddress: String? = nil, mtu: Int? = nil, master: Int32? = nil,
        isUp: Bool? = nil
    ) {
        self.name = name
        self.alias = alias
        self.macAddress = macAddress
        self.mtu = mtu
        self.master = master
        self.isUp = isUp
    }
}

extension Netlink {
    /// - Returns: nil if there is no device of that name.
    /// - Throws: ``NetlinkError``.
    public func link(named name: String) throws -> Link? { try link(index: 0, name: name) }

    /// - Returns: nil if there is no device with that index.
    /// - Throws: ``NetlinkError``.
    public func link(index: Int32) throws -> Link? { try link(index: index, name: nil) }

    private func link(index: Int32, name: String?) throws -> Link? {
        var found: OpaquePointer?
        let result = rtnl_link_get_kernel(socket, index, name, &found)
        guard abs(result) != NLE_OBJ_NOTFOUND, abs(result) != NLE_NODEV else { return nil }
        try check(result, "look up the device \(name ?? String(index))")
        guard let found else { return nil }
        defer { rtnl_link_put(found) }
        return Link(found)
    }

    /// Every device of the network namespace.
    ///
    /// - Throws: ``NetlinkError``.
    public func links() throws -> [Link] {
        var cache: OpaquePointer?
        try check(rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache), "list the devices")
        defer { nl_cache_free(cache) }
        return objects(in: cache).map(Link.init)
    }

    /// Makes a device that needs nothing but a kind, such as `bridge` or `ifb`.
    ///
    /// - Returns: its index.
    /// - Throws: ``NetlinkError`` with `EEXIST` if the name is taken.
    @discardableResult
    public func createLink(
        kind: String, name: String, macAddress: String? = nil, mtu: Int? = nil
    ) throws -> Int32 {
        let link = try allocated(rtnl_link_alloc(), "make the device \(name)")
        defer { rtnl_link_put(link) }
        try check(rtnl_link_set_type(link, kind), "make a device of the kind \(kind)")
        rtnl_link_set_name(link, name)
        if let mtu { rtnl_link_set_mtu(link, UInt32(mtu)) }
        try withAddress(macAddress, family: AF_LLC) { if let address = $0 { rtnl_link_set_addr(link, address) } }
        try check(rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL), "make the device \(name)")
        guard let made = try self.link(named: name) else {
            throw NetlinkError("find the device \(name) that was just made", errorCode: ENODEV)
        }
        return made.index
    }

    /// Applies all of the changes with one message.
    ///
    /// - Throws: ``NetlinkError`` with `ENODEV` if there is no such device.
    public func change(_ index: Int32, _ change: LinkChange) throws {
        let current = try allocated(rtnl_link_alloc(), "change the device \(index)")
        let wanted = try allocated(rtnl_link_alloc(), "change the device \(index)")
        defer {
            rtnl_link_put(current)
            rtnl_link_put(wanted)
        }
        rtnl_link_set_ifindex(current, index)
        if let name = change.name { rtnl_link_set_name(wanted, name) }
        if let alias = change.alias { rtnl_link_set_ifalias(wanted, alias) }
        if let mtu = change.mtu { rtnl_link_set_mtu(wanted, UInt32(mtu)) }
        if let master = change.master { rtnl_link_set_master(wanted, master) }
        switch change.isUp {
        case true?: rtnl_link_set_flags(wanted, upFlag)
        case false?: rtnl_link_unset_flags(wanted, upFlag)
        case nil: break
        }
        try withAddress(change.macAddress, family: AF_LLC) {
            if let address = $0 { rtnl_link_set_addr(wanted, address) }
        }
        try check(rtnl_link_change(socket, current, wanted, 0), "change the device \(index)")
    }

    /// - Returns: whether there was such a device.
    /// - Throws: ``NetlinkError``.
    @discardableResult
    public func deleteLink(_ index: Int32) throws -> Bool {
        let link = try allocated(rtnl_link_alloc(), "delete the device \(index)")
        defer { rtnl_link_put(link) }
        rtnl_link_set_ifindex(link, index)
        let result = rtnl_link_delete(socket, link)
        guard abs(result) != NLE_OBJ_NOTFOUND, abs(result) != NLE_NODEV else { return false }
        try check(result, "delete the device \(index)")
        return true
    }
}

private let upFlag = UInt32(1)

// ARPHRD_ETHER
private let ethernetType = UInt32(1)
