import CLibnl
import Glibc

/// An address of a device.
public struct LinkAddress: Sendable, Hashable {
    /// The device's index.
    public let link: Int32
    /// Without the length of its prefix: `10.88.0.5`.
    public let address: String
    /// Bits.
    public let prefixLength: Int
    /// Whether someone set it; not so what was learned for a while.
    public let isPermanent: Bool
    /// Whether it means something beyond the link.
    public let isGlobal: Bool

    public init(link: Int32 = 0, address: String, prefixLength: Int, isPermanent: Bool, isGlobal: Bool) {
        self.link = link
        self.address = address
        self.prefixLength = prefixLength
        self.isPermanent = isPermanent
        self.isGlobal = isGlobal
    }
}

/// A route of the main table over one device.
public struct LinkRoute: Sendable, Hashable {
    /// With the length of its prefix: `0.0.0.0/0` is every address.
    public let destination: String
    /// nil: the destination is on the link.
    public let gateway: String?
    /// Whether the kernel made it by itself or with an address.
    public let isKernels: Bool

    public init(destination: String, gateway: String?, isKernels: Bool) {
        self.destination = destination
        self.gateway = gateway
        self.isKernels = isKernels
    }
}

extension Netlink {
    /// The IPv4 and IPv6 addresses of a device.
    ///
    /// - Throws: ``NetlinkError``.
    public func addresses(of index: Int32) throws -> [LinkAddress] { try addresses().filter { $0.link == index } }

    /// The IPv4 and IPv6 addresses of every device.
    ///
    /// - Throws: ``NetlinkError``.
    public func addresses() throws -> [LinkAddress] {
        var cache: OpaquePointer?
        try check(rtnl_addr_alloc_cache(socket, &cache), "list the addresses")
        defer { nl_cache_free(cache) }
        return objects(in: cache).compactMap { entry -> LinkAddress? in
            guard let local = rtnl_addr_get_local(entry), let address = plainText(of: local) else { return nil }
            return LinkAddress(
                link: rtnl_addr_get_ifindex(entry), address: address, prefixLength: Int(rtnl_addr_get_prefixlen(entry)),
                isPermanent: rtnl_addr_get_flags(entry) & UInt32(IFA_F_PERMANENT) != 0,
                isGlobal: rtnl_addr_get_scope(entry) == Int32(RT_SCOPE_UNIVERSE.rawValue))
        }
    }

    /// The routes of the main table over a device, in the kernel's order.
    ///
    /// - Throws: ``NetlinkError``.
    public func routes(over index: Int32) throws -> [LinkRoute] {
        var cache: OpaquePointer?
        try check(rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, &cache), "list the routes")
        defer { nl_cache_free(cache) }
        return objects(in: cache).compactMap { route in
            guard rtnl_route_get_table(route) == UInt32(RT_TABLE_MAIN.rawValue),
                rtnl_route_get_type(route) == UInt8(RTN_UNICAST),
                let hop = rtnl_route_nexthop_n(route, 0), rtnl_route_nh_get_ifindex(hop) == index,
                let target = rtnl_route_get_dst(route)
            else {
                return nil
            }
            let everything = Int32(rtnl_route_get_family(route)) == AF_INET ? "0.0.0.0" : "::"
            return LinkRoute(
                destination: "\(plainText(of: target) ?? everything)/\(nl_addr_get_prefixlen(target))",
                gateway: rtnl_route_nh_get_gateway(hop).flatMap(plainText),
                isKernels: rtnl_route_get_protocol(route) == UInt8(RTPROT_KERNEL))
        }
    }
}

/// - Returns: the address without the length of its prefix; nil if it has no bytes, and stands for all.
private func plainText(of address: OpaquePointer) -> String? {
    guard nl_addr_get_len(address) > 0 else { return nil }
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let bytes = nl_addr_get_binary_addr(address)
    guard inet_ntop(nl_addr_get_family(address), bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
