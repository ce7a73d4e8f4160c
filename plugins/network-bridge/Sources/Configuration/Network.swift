import CarpelPluginSDK

/// One of the networks that pods can be on.
struct Network: Sendable, Hashable {
    let name: String
    /// At most 15 bytes.
    let bridge: String
    /// A pod gets an address of each family that is among them, from the first pool that has one.
    let pools: [AddressPool]
    /// Whether pods reach the world with the host's addresses.
    let masquerades: Bool
    /// Whether pods reach no other pod.
    let isIsolated: Bool
    /// Bytes.
    let mtu: Int
    let dns: DNS?

    /// - Throws: ``PluginError`` with `configurationInvalid`.
    init(name: String, _ document: NetworkDocument) throws {
        self.name = name
        guard isWord(name, longest: 63) else {
            throw invalid("networks.\(name)", "a name has 1 to 63 letters, digits, '-', '_' and '.'")
        }
        bridge = try Self.bridge(document.bridge, of: name)
        pools = try document.subnets.enumerated().map {
            try AddressPool($1, path: "networks.\(name).subnets[\($0)]")
        }
        masquerades = document.masquerade ?? true
        isIsolated = document.isolate ?? false
        mtu = try Self.mtu(document.mtu, pools, of: name)
        dns = try document.dns.map { try DNS($0, path: "networks.\(name).dns") }
        try refuseOverlaps()
    }

    /// Where the configuration has it.
    var path: String { "networks.\(name)" }

    var families: Set<IPAddress.Family> { Set(pools.map(\.subnet.family)) }

    private func refuseOverlaps() throws {
        guard !pools.isEmpty else { throw invalid("\(path).subnets", "a network has one subnet at least") }
        for (index, pool) in pools.enumerated() {
            if let other = pools[(index + 1)...].first(where: { $0.subnet.overlaps(pool.subnet) }) {
                throw invalid("\(path).subnets", "\(pool.subnet) overlaps \(other.subnet)")
            }
        }
    }

    private static func bridge(_ configured: String?, of name: String) throws -> String {
        if configured == nil, name == "default" { return "carpel0" }
        guard let configured else { throw invalid("networks.\(name).bridge", "only the network default needs none") }
        guard isDeviceName(configured) else {
            throw invalid(
                "networks.\(name).bridge",
                "\(configured) is no name of a device: 1 to 15 letters, digits, '-', '_' and '.'")
        }
        return configured
    }

    private static func mtu(_ configured: Int?, _ pools: [AddressPool], of name: String) throws -> Int {
        let mtu = configured ?? 1500
        // RFC 8200, 5 and RFC 791, 3.1; a tap device takes no more than 65521.
        let least = pools.contains { $0.subnet.family == .ipv6 } ? 1280 : 576
        guard (least...65521).contains(mtu) else { throw invalid("networks.\(name).mtu", "must be \(least) to 65521") }
        return mtu
    }
}

extension AddressPool {
    fileprivate init(_ document: SubnetDocument, path: String) throws {
        guard let subnet = Subnet(document.subnet) else {
            throw invalid("\(path).subnet", "\(document.subnet) is no subnet such as 10.88.0.0/16 or fd88::/64")
        }
        guard (1...subnet.family.length - 2).contains(subnet.prefixLength) else {
            throw invalid("\(path).subnet", "\(subnet) has no room for a gateway and a pod")
        }
        let machines = subnet.machineValues
        let gateway = document.gateway.map(IPAddress.init) ?? IPAddress(subnet.family, machines.lowerBound)
        guard let gateway, gateway.family == subnet.family, machines.contains(gateway.value) else {
            throw invalid("\(path).gateway", "\(document.gateway ?? "") is no address of a machine in \(subnet)")
        }
        let range = try document.range.map { try addresses($0, in: subnet, path: "\(path).range") }
        self.init(
            subnet: subnet, gateway: gateway, range: range?.clamped(to: machines) ?? machines,
            excluded: try (document.exclude ?? []).enumerated().map {
                try addresses($1, in: subnet, path: "\(path).exclude[\($0)]")
            })
        guard next(after: nil) != nil else { throw invalid(path, "no address is left for a pod") }
    }
}

/// Addresses that are written as one, as the first and the last, or as a subnet: `10.88.0.7`,
/// `10.88.1.0-10.88.1.255`, `10.88.1.0/24`.
private func addresses(_ text: String, in subnet: Subnet, path: String) throws -> ClosedRange<UInt128> {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { IPAddress(String($0)) }
    if let part = Subnet(text), subnet.contains(IPAddress(part.family, part.base)),
        part.prefixLength >= subnet.prefixLength
    {
        return part.values
    }
    guard (1...2).contains(ends.count), let first = ends.first ?? nil, let last = ends.last ?? nil,
        subnet.contains(first), subnet.contains(last), first.value <= last.value
    else {
        throw invalid(path, "\(text) is no address, range such as A-B or subnet inside of \(subnet)")
    }
    return first.value...last.value
}

extension DNS {
    fileprivate init(_ document: DNSDocument, path: String) throws {
        for (index, server) in (document.servers ?? []).enumerated() where IPAddress(server) == nil {
            throw invalid("\(path).servers[\(index)]", "\(server) is no IP address")
        }
        self.init(
            servers: document.servers ?? [], searches: document.searches ?? [], options: document.options ?? [])
    }
}

/// Whether `text` may be a part of a device's alias: letters, digits, `-`, `_` and `.`.
func isWord(_ text: String, longest: Int) -> Bool {
    let isAllowed = { (byte: UInt8) in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
    return (1...longest).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
}

/// `all` and `default` have a meaning of their own in /proc/sys/net.
func isDeviceName(_ text: String) -> Bool {
    isWord(text, longest: 15) && ![".", "..", "all", "default"].contains(text)
}
