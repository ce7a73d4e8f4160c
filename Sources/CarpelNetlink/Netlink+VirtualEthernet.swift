import CLibnl
import Glibc

extension Netlink {
    /// Makes two devices that are each other's end, the second one in another network namespace.
    ///
    /// - Parameter mtu: bytes, of both.
    /// - Throws: ``NetlinkError`` with `EEXIST` if a name is taken.
    public func createVirtualEthernet(
        _ name: String, peer peerName: String, in namespace: NetworkNamespace, mtu: Int
    ) throws {
        let operation = "make the device \(name)"
        let file = open(namespace.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw NetlinkError("open \(namespace.path)", errorCode: errno) }
        defer { close(file) }
        let link = try allocated(rtnl_link_veth_alloc(), operation)
        defer { rtnl_link_put(link) }
        let peer = try allocated(rtnl_link_veth_get_peer(link), operation)
        defer { rtnl_link_put(peer) }
        rtnl_link_set_name(link, name)
        rtnl_link_set_mtu(link, UInt32(mtu))
        rtnl_link_set_name(peer, peerName)
        rtnl_link_set_mtu(peer, UInt32(mtu))
        rtnl_link_set_ns_fd(peer, file)
        try check(rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL), operation)
    }
}
