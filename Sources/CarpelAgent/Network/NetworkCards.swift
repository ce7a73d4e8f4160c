import CarpelGuestProtocol
import Glibc

/// The machine's network cards by their hardware addresses.
enum NetworkCards {
    private static let folder = "/sys/class/net"

    /// Gives the card its name, addresses and routes, and sets it up.
    /// - Returns: The kernel's number for it.
    @discardableResult
    static func configure(_ interface: SandboxConfiguration.Interface) throws(GuestFailure) -> Int32 {
        guard let index = index(of: interface.hardwareAddress) else { throw missing(interface) }
        try setUp(interface, index: index)
        for text in interface.addresses { try add(try IPPrefix(text), to: interface, index: index) }
        for route in interface.routes { try add(route, to: interface, index: index) }
        return index
    }

    /// Does nothing if there is no such card.
    static func setDown(_ hardwareAddress: String) throws(GuestFailure) {
        guard let index = index(of: hardwareAddress) else { return }
        try RouteMessage(.link(index: index, flags: 0, change: UInt32(IFF_UP))).send("set \(hardwareAddress) down")
    }

    /// Makes a card another pod's: it loses its addresses and, set down, its routes.
    static func rename(_ index: Int32, removing addresses: [String], hardwareAddress: String) throws(GuestFailure) {
        try RouteMessage(.link(index: index, flags: 0, change: UInt32(IFF_UP))).send("set card \(index) down")
        for text in addresses {
            let address = try IPPrefix(text)
            var message = RouteMessage(.noAddress(address, index: index))
            message.add(.localAddress, address.bytes)
            do throws(GuestFailure) {
                try message.send("take the address \(text) from card \(index)")
            } catch  where error.errno == EADDRNOTAVAIL {
                // IPv6's go when the card is set down, and a container may have taken it.
            }
        }
        let bytes = hardwareAddress.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        var message = RouteMessage(.link(index: index, flags: 0, change: 0))
        message.add(.address, bytes)
        try message.send("give card \(index) the hardware address \(hardwareAddress)")
    }

    static func missing(_ interfaces: [SandboxConfiguration.Interface]) -> GuestFailure? {
        interfaces.first { index(of: $0.hardwareAddress) == nil }.map(missing)
    }

    private static func missing(_ interface: SandboxConfiguration.Interface) -> GuestFailure {
        GuestFailure(.notFound, "no network card has the address \(interface.hardwareAddress)")
    }

    static func index(of hardwareAddress: String) -> Int32? {
        let wanted = hardwareAddress.lowercased()
        guard !wanted.isEmpty else { return nil }
        return Files.names(in: folder).first { Files.line("\(folder)/\($0)/address") == wanted }
            .flatMap { Files.line("\(folder)/\($0)/ifindex") }.flatMap { Int32($0) }
    }

    private static func setUp(_ interface: SandboxConfiguration.Interface, index: Int32) throws(GuestFailure) {
        let up = UInt32(IFF_UP)
        // A card can be renamed only while it is down, and one message would rename it first.
        try RouteMessage(.link(index: index, flags: 0, change: up)).send("set \(interface.name) down")
        var named = RouteMessage(.link(index: index, flags: 0, change: 0))
        named.add(.name, Array(interface.name.utf8) + [0])
        if let mtu = interface.mtu { named.add(.mtu, mtu) }
        try named.send("name \(interface.name)")
        try RouteMessage(.link(index: index, flags: up, change: up)).send("set \(interface.name) up")
    }

    private static func add(
        _ address: IPPrefix, to interface: SandboxConfiguration.Interface, index: Int32
    ) throws(GuestFailure) {
        var message = RouteMessage(.address(address, index: index))
        message.add(.localAddress, address.bytes)
        message.add(.address, address.bytes)
        try message.send("give \(interface.name) the address \(address.text)")
    }

    private static func add(
        _ route: SandboxConfiguration.Route, to interface: SandboxConfiguration.Interface, index: Int32
    ) throws(GuestFailure) {
        let destination = try IPPrefix(route.destination)
        var message = RouteMessage(.route(to: destination, isOnLink: route.gateway == nil))
        if destination.length > 0 { message.add(.destination, destination.bytes) }
        if let gateway = route.gateway { message.add(.gateway, try IPPrefix(gateway).bytes) }
        message.add(.outgoing, UInt32(bitPattern: index))
        try message.send("route \(route.destination) through \(interface.name)")
    }
}
