import CLibnl
import Glibc

extension Netlink {
    private static let ingressHandle: UInt32 = 0xffff_0000

    /// Sends every frame that arrives on one link out of another one of the same namespace.
    ///
    /// - Throws: ``NetlinkError``, with `EEXIST` if something else handles what arrives.
    public func redirect(_ source: Int32, to target: Int32) throws {
        try addIngress(to: source)
        try addRedirect(from: source, to: target)
    }

    /// Lets what arrives on a link go where it would without ``redirect(_:to:)``; whatever else handles it ends, too.
    ///
    /// - Throws: ``NetlinkError``.
    public func endRedirect(of source: Int32) throws {
        let operation = "handle no more what arrives on the link \(source)"
        let discipline = try allocated(rtnl_qdisc_alloc(), operation)
        defer { rtnl_qdisc_put(discipline) }
        rtnl_tc_set_ifindex(discipline, source)
        rtnl_tc_set_parent(discipline, carpel_tc_h_ingress)
        let result = rtnl_qdisc_delete(socket, discipline)
        // The kernel's words for a link that nothing of the kind is on.
        guard ![NLE_OBJ_NOTFOUND, NLE_INVAL].contains(abs(result)) else { return }
        try check(result, operation)
    }

    /// Lets what arrives on a link arrive again. One that is not redirected is fine.
    ///
    /// - Throws: ``NetlinkError``.
    public func stopRedirecting(_ source: Int32) throws {
        let discipline = try allocated(rtnl_qdisc_alloc(), "let frames arrive on the link \(source)")
        defer { rtnl_qdisc_put(discipline) }
        rtnl_tc_set_ifindex(discipline, source)
        rtnl_tc_set_parent(discipline, carpel_tc_h_ingress)
        rtnl_tc_set_handle(discipline, Self.ingressHandle)
        // The kernel has no code of its own for a discipline that is not there.
        rtnl_qdisc_delete(socket, discipline)
    }

    /// - Returns: the link that ``redirect(_:to:)`` sends frames to; nil if they are not redirected.
    public func redirectTarget(of source: Int32) throws -> Int32? {
        var cache: OpaquePointer?
        try check(
            rtnl_cls_alloc_cache(socket, source, Self.ingressHandle, &cache), "list the filters of the link \(source)")
        defer { nl_cache_free(cache) }
        for filter in objects(in: cache) {
            guard let kind = rtnl_tc_get_kind(filter), strcmp(kind, "u32") == 0,
                let action = rtnl_u32_get_action(filter)
            else {
                continue
            }
            // libnl 3.7 lends the action: it is the filter's.
            guard let actionKind = rtnl_tc_get_kind(action), strcmp(actionKind, "mirred") == 0,
                rtnl_mirred_get_action(action) == TCA_EGRESS_REDIR
            else {
                continue
            }
            return Int32(bitPattern: rtnl_mirred_get_ifindex(action))
        }
        return nil
    }

    /// The place where filters see what arrives.
    private func addIngress(to link: Int32) throws {
        let activity = "watch what arrives on the link \(link)"
        let discipline = try allocated(rtnl_qdisc_alloc(), activity)
        defer { rtnl_qdisc_put(discipline) }
        rtnl_tc_set_ifindex(discipline, link)
        rtnl_tc_set_parent(discipline, carpel_tc_h_ingress)
        rtnl_tc_set_handle(discipline, Self.ingressHandle)
        try check(rtnl_tc_set_kind(discipline, "ingress"), activity)
        try check(rtnl_qdisc_add(socket, discipline, NLM_F_CREATE | NLM_F_EXCL), activity)
    }

    // u32 with a key that any frame has: every kernel has u32, some lack matchall.
    private func addRedirect(from source: Int32, to target: Int32) throws {
        let activity = "redirect the link \(source) to \(target)"
        let filter = try allocated(rtnl_cls_alloc(), activity)
        defer { rtnl_cls_put(filter) }
        rtnl_tc_set_ifindex(filter, source)
        rtnl_tc_set_parent(filter, Self.ingressHandle)
        try check(rtnl_tc_set_kind(filter, "u32"), activity)
        rtnl_cls_set_prio(filter, 1)
        rtnl_cls_set_protocol(filter, UInt16(ETH_P_ALL))
        try check(rtnl_u32_add_key(filter, 0, 0, 0, 0), activity)
        try check(rtnl_u32_set_cls_terminal(filter), activity)

        let action = try allocated(rtnl_act_alloc(), activity)
        defer { rtnl_act_put(action) }
        try check(rtnl_tc_set_kind(action, "mirred"), activity)
        try check(rtnl_mirred_set_action(action, TCA_EGRESS_REDIR), activity)
        try check(rtnl_mirred_set_ifindex(action, UInt32(bitPattern: target)), activity)
        try check(rtnl_mirred_set_policy(action, TC_ACT_STOLEN), activity)
        try check(rtnl_u32_add_action(filter, action), activity)
        try check(rtnl_cls_add(socket, filter, NLM_F_CREATE | NLM_F_EXCL), activity)
    }
}
