import CLibnl
import Glibc

extension Netlink {
    /// Gives a device an address; one that it has is fine.
    ///
    /// An IPv6 address works at once: nobody is asked whether it is in use.
    /// - Parameter address: with the length of its prefix: `10.88.0.1/16`.
    /// - Throws: ``NetlinkError``.
    public func addAddress(_ address: String, to index: Int32) throws {
        let entry = try entry(address, of: index)
        defer { rtnl_addr_put(entry) }
        rtnl_addr_set_flags(entry, UInt32(IFA_F_NODAD))
        try check(rtnl_addr_add(socket, entry, NLM_F_CREATE | NLM_F_REPLACE), "add the address \(address)")
    }

    /// Takes an address from a device.
    ///
    /// - Parameter address: with the length of its prefix.
    /// - Throws: ``NetlinkError``, with `EADDRNOTAVAIL` if the device does not have it.
    public func deleteAddress(_ address: String, from index: Int32) throws {
        let entry = try entry(address, of: index)
        defer { rtnl_addr_put(entry) }
        try check(rtnl_addr_delete(socket, entry, 0), "delete the address \(address)")
    }

    private func entry(_ address: String, of index: Int32) throws -> OpaquePointer {
        let entry = try allocated(rtnl_addr_alloc(), "describe the address \(address)")
        rtnl_addr_set_ifindex(entry, index)
        try withAddress(address, family: AF_UNSPEC) { local in
            if let local { rtnl_addr_set_local(entry, local) }
        }
        return entry
    }
}
