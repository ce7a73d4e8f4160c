import CLibnl
import Glibc

/// How a bridge treats one of its ports.
public struct BridgePortSettings: Sendable, Hashable {
    /// Frames go only to ports that are not isolated, and to the bridge itself.
    public var isIsolated: Bool
    /// Frames may go back to the port that they came from.
    public var isHairpin: Bool

    public init(isIsolated: Bool = false, isHairpin: Bool = false) {
        self.isIsolated = isIsolated
        self.isHairpin = isHairpin
    }
}

// libnl knows ports of bridges, but not their isolation: these messages are put together by hand.
extension Netlink {
    /// - Throws: ``NetlinkError``.
    public func setBridgePort(_ index: Int32, _ settings: BridgePortSettings) throws {
        let operation = "set up the bridge's port \(index)"
        let message = try allocated(nlmsg_alloc_simple(Int32(RTM_SETLINK), NLM_F_REQUEST | NLM_F_ACK), operation)
        do {
            var header = ifinfomsg()
            header.ifi_family = UInt8(AF_BRIDGE)
            header.ifi_index = index
            try check(nlmsg_append(message, &header, MemoryLayout<ifinfomsg>.size, 4), operation)
            guard let nest = nla_nest_start(message, Int32(IFLA_PROTINFO) | Int32(NLA_F_NESTED)) else {
                throw NetlinkError(operation, errorCode: ENOMEM)
            }
            try check(
                nla_put_u8(message, Int32(IFLA_BRPORT_ISOLATED), settings.isIsolated ? 1 : 0), operation)
            try check(nla_put_u8(message, Int32(IFLA_BRPORT_MODE), settings.isHairpin ? 1 : 0), operation)
            nla_nest_end(message, nest)
        } catch {
            nlmsg_free(message)
            throw error
        }
        // Frees the message.
        try check(nl_send_sync(socket, message), operation)
    }

    /// - Returns: nil if the device is no bridge's port.
    /// - Throws: ``NetlinkError``.
    public func bridgePort(_ index: Int32) throws -> BridgePortSettings? {
        let operation = "look up the bridge's port \(index)"
        var request: OpaquePointer?
        try check(rtnl_link_build_get_request(index, nil, &request), operation)
        defer { nlmsg_free(request) }
        let handlers = try allocated(nl_cb_alloc(NL_CB_DEFAULT), operation)
        defer { nl_cb_put(handlers) }
        var found: BridgePortSettings?
        try withUnsafeMutablePointer(to: &found) { found in
            try check(
                nl_cb_set(
                    handlers, NL_CB_VALID, NL_CB_CUSTOM,
                    { message, found in
                        let found = found?.assumingMemoryBound(to: BridgePortSettings?.self)
                        found?.pointee = message.flatMap(portSettings)
                        return Int32(NL_OK.rawValue)
                    }, found), operation)
            try check(nl_send_auto(socket, request), operation)
            try check(nl_recvmsgs(socket, handlers), operation)
        }
        // The kernel's acknowledgement follows the answer.
        try check(nl_wait_for_ack(socket), operation)
        return found
    }
}

private func portSettings(_ message: OpaquePointer) -> BridgePortSettings? {
    guard let header = nlmsg_hdr(message),
        let details = nlmsg_find_attr(header, Int32(MemoryLayout<ifinfomsg>.size), Int32(IFLA_LINKINFO)),
        let kind = member(IFLA_INFO_SLAVE_KIND, of: details), nla_strcmp(kind, "bridge") == 0,
        let settings = member(IFLA_INFO_SLAVE_DATA, of: details)
    else {
        return nil
    }
    return BridgePortSettings(
        isIsolated: member(IFLA_BRPORT_ISOLATED, of: settings).map { nla_get_u8($0) } == 1,
        isHairpin: member(IFLA_BRPORT_MODE, of: settings).map { nla_get_u8($0) } == 1)
}
