/// A card's address: `02:5f:00:1a:b2:c3`.
struct MACAddress: Sendable, Hashable {
    /// Six.
    let bytes: [UInt8]

    /// - Returns: nil unless `text` is an address that one card can have.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else {
            return nil
        }
        self.bytes = bytes
    }

    /// An address of the locally administered kind, of the lowest 40 bits.
    init(locallyAdministered bits: UInt64) {
        bytes = [0x02] + stride(from: 32, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> UInt64($0)) }
    }

    /// What a machine with this card calls itself on an IPv6 link (RFC 4291, appendix A).
    var linkLocalAddress: IPAddress {
        let identifier = [bytes[0] ^ 0x02, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]]
        return IPAddress(.ipv6, identifier.reduce(0) { $0 << 8 | UInt128($1) } | UInt128(0xfe80) << 112)
    }
}

extension MACAddress: CustomStringConvertible {
    var description: String { bytes.map { hexadecimal($0, digits: 2) }.joined(separator: ":") }
}

/// Digits in lower case, padded with zeros.
func hexadecimal<Number: BinaryInteger>(_ number: Number, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
