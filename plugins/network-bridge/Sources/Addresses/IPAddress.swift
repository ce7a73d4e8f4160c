import Glibc

/// An IPv4 or IPv6 address.
struct IPAddress: Sendable, Hashable {
    enum Family: String, Sendable, Hashable, CaseIterable {
        case ipv4 = "IPv4"
        case ipv6 = "IPv6"

        /// Bits of an address.
        var length: Int { self == .ipv4 ? 32 : 128 }
        /// As in `meta nfproto`.
        var number: Int32 { self == .ipv4 ? AF_INET : AF_INET6 }
    }

    let family: Family
    /// In the host's byte order.
    let value: UInt128

    init(_ family: Family, _ value: UInt128) {
        self.family = family
        self.value = value
    }

    /// - Returns: nil unless `text` is one address, without a prefix or zone.
    init?(_ text: String) {
        for family in Family.allCases {
            var bytes = [UInt8](repeating: 0, count: family.length / 8)
            guard inet_pton(family.number, text, &bytes) == 1 else { continue }
            self.init(family, bytes.reduce(0) { $0 << 8 | UInt128($1) })
            return
        }
        return nil
    }

    /// In network byte order.
    var bytes: [UInt8] {
        stride(from: family.length - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt128($0)) }
    }

}

extension IPAddress: CustomStringConvertible {
    /// The canonical text, as of inet_ntop(3).
    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(family.number, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
