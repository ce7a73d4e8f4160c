import CLibnl
import Glibc

/// What the kernel remembers of connections, and goes by although the rules have changed.
///
/// Not for several threads at once.
public final class ConnectionTracking {
    private let socket: OpaquePointer

    /// - Throws: ``NetlinkError``.
    public init() throws {
        socket = try allocated(nl_socket_alloc(), "open a netlink socket")
        let result = nl_connect(socket, NETLINK_NETFILTER)
        guard result >= 0 else {
            nl_socket_free(socket)
            throw NetlinkError("open a netlink socket", libnl: result)
        }
    }

    deinit { nl_socket_free(socket) }

    /// Forgets connections by what their first packet was sent to, so that the next packet meets the rules again.
    ///
    /// - Parameters:
    ///   - family: AF_INET or AF_INET6.
    ///   - transport: its number, such as IPPROTO_UDP.
    /// - Throws: ``NetlinkError``.
    public func forget(family: Int32, transport: UInt8, destinationPort: UInt16) throws {
        let protocolTuple = ProtocolTuple(transport: transport, destinationPort: destinationPort)
        for tuple in try tuples(protocolTuple, family: family) {
            let operation = "forget a connection"
            let message = try self.message(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, family: family, operation)
            nla_put(message, Int32(CTA_TUPLE_ORIG.rawValue) | NLA_F_NESTED, Int32(tuple.count), tuple)
            let result = nl_send_sync(socket, message)
            // It may have ended by itself.
            if result < 0, abs(result) != NLE_OBJ_NOTFOUND { throw NetlinkError(operation, libnl: result) }
        }
    }

    /// The kernel's descriptions of the connections' first packets.
    private func tuples(_ wanted: ProtocolTuple, family: Int32) throws -> [[UInt8]] {
        let operation = "list the connections"
        let request = try message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family: family, operation)
        defer { nlmsg_free(request) }
        wanted.filter(request)
        let handlers = try allocated(nl_cb_alloc(NL_CB_DEFAULT), operation)
        defer { nl_cb_put(handlers) }
        var found = Found(wanted: wanted)
        try withUnsafeMutablePointer(to: &found) { found in
            nl_cb_set(
                handlers, NL_CB_VALID, NL_CB_CUSTOM,
                { message, found in
                    if let message { found?.assumingMemoryBound(to: Found.self).pointee.add(message) }
                    return Int32(NL_OK.rawValue)
                }, found)
            var result = nl_send_auto(socket, request)
            if result >= 0 { result = nl_recvmsgs(socket, handlers) }
            guard result >= 0 else { throw NetlinkError(operation, libnl: result) }
        }
        return found.tuples
    }

    private func message(
        _ kind: cntl_msg_types, _ flags: Int32, family: Int32, _ operation: String
    ) throws -> OpaquePointer {
        let number = Int32(NFNL_SUBSYS_CTNETLINK) << 8 | Int32(kind.rawValue)
        let message = try allocated(nlmsg_alloc_simple(number, NLM_F_REQUEST | flags), operation)
        var header = nfgenmsg(nfgen_family: UInt8(family), version: UInt8(NFNETLINK_V0), res_id: 0)
        nlmsg_append(message, &header, MemoryLayout<nfgenmsg>.size, 4)
        return message
    }
}

/// The part of a packet's description that is asked for.
private struct ProtocolTuple {
    let transport: UInt8
    let destinationPort: UInt16

    /// Lets the kernel look for it. One older than 5.8 tells of all connections.
    func filter(_ message: OpaquePointer) {
        let tuple = nla_nest_start(message, Int32(CTA_TUPLE_ORIG.rawValue) | NLA_F_NESTED)
        let inner = nla_nest_start(message, Int32(CTA_TUPLE_PROTO.rawValue) | NLA_F_NESTED)
        nla_put_u8(message, Int32(CTA_PROTO_NUM.rawValue), transport)
        nla_put_u16(message, Int32(CTA_PROTO_DST_PORT.rawValue), destinationPort.bigEndian)
        nla_nest_end(message, inner)
        nla_nest_end(message, tuple)
        let filter = nla_nest_start(message, Int32(CTA_FILTER.rawValue) | NLA_F_NESTED)
        // CTA_PROTO_NUM and CTA_PROTO_DST_PORT, which the kernel's own headers keep to themselves.
        nla_put_u32(message, Int32(CTA_FILTER_ORIG_FLAGS.rawValue), 1 << 3 | 1 << 5)
        nla_nest_end(message, filter)
    }

    func matches(_ tuple: UnsafeMutablePointer<nlattr>) -> Bool {
        guard let inner = member(Int(CTA_TUPLE_PROTO.rawValue), of: tuple),
            let number = member(Int(CTA_PROTO_NUM.rawValue), of: inner),
            let port = member(Int(CTA_PROTO_DST_PORT.rawValue), of: inner)
        else {
            return false
        }
        return nla_get_u8(number) == transport && UInt16(bigEndian: nla_get_u16(port)) == destinationPort
    }
}

private struct Found {
    let wanted: ProtocolTuple
    var tuples: [[UInt8]] = []

    mutating func add(_ message: OpaquePointer) {
        guard let header = nlmsg_hdr(message),
            let tuple = nlmsg_find_attr(header, Int32(MemoryLayout<nfgenmsg>.size), Int32(CTA_TUPLE_ORIG.rawValue)),
            wanted.matches(tuple), let bytes = nla_data(tuple)
        else {
            return
        }
        tuples.append(Array(UnsafeRawBufferPointer(start: bytes, count: Int(nla_len(tuple)))))
    }
}
