import CarpelPluginSDK
import Glibc

extension NetworkAttachment {
    /// What the guest must be told, so that it is on the network as a container in the namespace would be.
    ///
    /// The kernel's routes count where the chain has configured the interface: some plugins set routes that they do not
    /// list (Calico), or take away the one of the address' own prefix (ptp). The result counts for the order of the
    /// addresses, the gateways and DNS, and for all where the chain leaves the interface without addresses.
    init(device: String, interface: PodInterface, result: CNIResult) {
        let claimed = result.addresses(of: interface.name)
        let present = interface.addresses.filter { $0.isPermanent && $0.isGlobal }
        let addresses = claimed.map { IPConfiguration(address: $0.address, gateway: $0.gateway) }
        let more = present.map { "\($0.address)/\($0.prefixLength)" }
            .filter { address in !addresses.contains { $0.address.isSameAddress(as: address) } }
            .map { IPConfiguration(address: $0) }
        let all = addresses + more
        self.init(
            device: device, macAddress: interface.macAddress, mtu: interface.mtu,
            addresses: present.isEmpty ? all : all.map { $0.withoutPrefix(unless: interface) },
            routes: present.isEmpty ? result.guestRoutes(addresses) : interface.guestRoutes, dns: result.dns?.guestDNS)
    }
}

extension IPConfiguration {
    /// The address alone where the kernel has no route to its prefix: the guest must not think that it has one.
    fileprivate func withoutPrefix(unless interface: PodInterface) -> IPConfiguration {
        guard let prefix = Prefix(address) else { return self }
        let isOnLink = interface.routes.contains { $0.isKernels && Prefix($0.destination) == prefix.network }
        return isOnLink ? self : IPConfiguration(address: "\(prefix.text)/\(prefix.bytes.count * 8)", gateway: gateway)
    }
}

extension PodInterface {
    /// What the kernel does not make by itself; those over a gateway last, as they need the others.
    fileprivate var guestRoutes: [Route] {
        let added = routes.filter { !$0.isKernels }.map { Route(destination: $0.destination, gateway: $0.gateway) }
        return added.filter { $0.gateway == nil } + added.filter { $0.gateway != nil }
    }
}

extension CNIResult {
    /// A route without a gateway goes over the one of the addresses of its family.
    fileprivate func guestRoutes(_ addresses: [IPConfiguration]) -> [CarpelPluginSDK.Route] {
        (routes ?? []).map { route in
            let gateways = addresses.compactMap(\.gateway)
            let isIPv6 = route.dst.contains(":")
            let gateway = route.gw ?? gateways.first { $0.contains(":") == isIPv6 }
            return CarpelPluginSDK.Route(destination: route.dst, gateway: gateway)
        }
    }
}

extension CNIResult.DNS {
    fileprivate var guestDNS: CarpelPluginSDK.DNS? {
        let dns = CarpelPluginSDK.DNS(
            servers: nameservers ?? [], searches: search ?? domain.map { [$0] } ?? [], options: options ?? [])
        return dns == CarpelPluginSDK.DNS() ? nil : dns
    }
}

/// An address with the length of its prefix.
struct Prefix: Equatable, Sendable {
    let bytes: [UInt8]
    let length: Int

    /// - Parameter text: `10.88.0.5/16`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Int(parts[1]) else { return nil }
        var bytes = [UInt8](repeating: 0, count: parts[0].contains(":") ? 16 : 4)
        guard inet_pton(bytes.count == 16 ? AF_INET6 : AF_INET, String(parts[0]), &bytes) == 1,
            (0...bytes.count * 8).contains(length)
        else {
            return nil
        }
        self.bytes = bytes
        self.length = length
    }

    private init(bytes: [UInt8], length: Int) {
        self.bytes = bytes
        self.length = length
    }

    /// With all bits beyond the length zero.
    var network: Prefix {
        let masked = bytes.enumerated().map { index, byte in
            let kept = min(8, max(0, length - index * 8))
            return byte & ~UInt8(truncatingIfNeeded: 0xff >> kept)
        }
        return Prefix(bytes: masked, length: length)
    }

    /// The address.
    var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 16 ? AF_INET6 : AF_INET, bytes, &buffer, socklen_t(buffer.count))
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension String {
    /// Whether two addresses are the same, however they are written and whatever their prefixes.
    fileprivate func isSameAddress(as other: String) -> Bool {
        guard let own = Prefix(self), let others = Prefix(other) else { return self == other }
        return own.bytes == others.bytes
    }
}
