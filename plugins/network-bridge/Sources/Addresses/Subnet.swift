/// A network of addresses: `10.88.0.0/16`.
struct Subnet: Sendable, Hashable {
    let family: IPAddress.Family
    let prefixLength: Int
    /// The first address' value; the bits after the prefix are 0.
    let base: UInt128

    /// - Returns: nil unless `text` is an address, whose bits after the prefix are ignored, and a prefix' length.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]),
            (0...address.family.length).contains(length), String(length) == parts[1]
        else {
            return nil
        }
        self.init(of: address, prefixLength: length)
    }

    init(of address: IPAddress, prefixLength: Int) {
        family = address.family
        self.prefixLength = prefixLength
        base = address.value & ~Self.hostMask(family, prefixLength)
    }

    /// All of its addresses.
    var values: ClosedRange<UInt128> { base...(base | Self.hostMask(family, prefixLength)) }

    /// The addresses that a machine can have: an IPv4 network's first and last one mean the network and everyone in
    /// it, an IPv6 network's first one means any of its routers (RFC 4291, 2.6.1).
    var machineValues: ClosedRange<UInt128> {
        (base + 1)...(values.upperBound - (family == .ipv4 ? 1 : 0))
    }

    func contains(_ address: IPAddress) -> Bool { address.family == family && values.contains(address.value) }

    func overlaps(_ other: Subnet) -> Bool { family == other.family && values.overlaps(other.values) }

    private static func hostMask(_ family: IPAddress.Family, _ prefixLength: Int) -> UInt128 {
        let bits = family.length - prefixLength
        return bits == 128 ? .max : (1 << UInt128(bits)) - 1
    }
}

extension Subnet: CustomStringConvertible {
    var description: String { "\(IPAddress(family, base))/\(prefixLength)" }
}
