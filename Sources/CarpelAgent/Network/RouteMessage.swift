import CLinux
import CarpelGuestProtocol

/// A message of rtnetlink(7) that makes, changes or removes something. Numbers are in the machine's order.
struct RouteMessage {
    /// What comes behind the message's head.
    enum Body {
        /// struct ifinfomsg
        case link(index: Int32, flags: UInt32, change: UInt32)
        /// struct ifaddrmsg
        case address(IPPrefix, index: Int32)
        /// struct ifaddrmsg, of an address that is to go.
        case noAddress(IPPrefix, index: Int32)
        /// struct rtmsg
        case route(to: IPPrefix, isOnLink: Bool)
    }

    /// IFLA_, IFA_ and RTA_: which of them a number means depends on the body.
    enum Attribute {
        case name, mtu, localAddress, address, destination, gateway, outgoing

        fileprivate var number: UInt16 {
            switch self {
            case .address, .destination: 1
            case .localAddress: 2
            case .name: 3
            case .mtu, .outgoing: 4
            case .gateway: 5
            }
        }
    }

    private let type: UInt16
    private let flags: UInt16
    private var content: [UInt8] = []

    // NLM_F_REQUEST | NLM_F_ACK, and for addresses and routes NLM_F_CREATE | NLM_F_REPLACE.
    private static let request: UInt16 = 0x5
    private static let replace: UInt16 = 0x500

    init(_ body: Body) {
        switch body {
        case .link(let index, let flags, let change):
            (type, self.flags) = (16, Self.request)
            append([0, 0, 0, 0])
            append(UInt32(bitPattern: index))
            append(flags)
            append(change)
        case .address(let address, let index):
            (type, flags) = (20, Self.request | Self.replace)
            // IFA_F_NODAD: the pod's address is nobody else's, and IPv6 would not use it for a second otherwise.
            append([address.family, address.length, address.bytes.count == 16 ? 2 : 0, 0])
            append(UInt32(bitPattern: index))
        case .noAddress(let address, let index):
            (type, flags) = (21, Self.request)
            append([address.family, address.length, 0, 0])
            append(UInt32(bitPattern: index))
        case .route(let destination, let isOnLink):
            (type, flags) = (24, Self.request | Self.replace)
            // Main table, set by the administrator, on the link or beyond, unicast.
            append([destination.family, destination.length, 0, 0, 254, 4, isOnLink ? 253 : 0, 1])
            // RTNH_F_ONLINK: the gateway may lie outside the networks of the card's own addresses.
            append(isOnLink ? 0 : 4)
        }
    }

    mutating func add(_ attribute: Attribute, _ value: UInt32) {
        add(attribute, withUnsafeBytes(of: value) { Array($0) })
    }

    mutating func add(_ attribute: Attribute, _ value: [UInt8]) {
        withUnsafeBytes(of: UInt16(4 + value.count)) { content += $0 }
        withUnsafeBytes(of: attribute.number) { content += $0 }
        content += value
        while content.count % 4 != 0 { content.append(0) }
    }

    func send(_ activity: String) throws(GuestFailure) {
        var message: [UInt8] = []
        withUnsafeBytes(of: UInt32(16 + content.count)) { message += $0 }
        withUnsafeBytes(of: type) { message += $0 }
        withUnsafeBytes(of: flags) { message += $0 }
        message += [UInt8](repeating: 0, count: 8) + content
        try checkNegative(carpel_route_request(message, message.count), activity)
    }

    private mutating func append(_ bytes: [UInt8]) { content += bytes }
    private mutating func append(_ value: UInt32) { withUnsafeBytes(of: value) { content += $0 } }
}
