/// The first bytes of a CBOR item: its major type and argument.
///
/// Source: RFC 8949, section 3.
struct CBORHead {
    enum Major: UInt8 {
        case unsigned = 0
        case negative, bytes, text, array, map, tag, simple
    }

    static let indefinite: UInt8 = 31
    static let stop: UInt8 = 0xFF

    var major: Major
    /// The low five bits of the first byte.
    var information: UInt8
    var argument: UInt64

    var isIndefinite: Bool { information == Self.indefinite }

    /// Appends the shortest form (RFC 8949, section 4.2.1).
    static func append(_ major: Major, _ argument: UInt64, to bytes: inout [UInt8]) {
        let type = major.rawValue << 5
        switch argument {
        case ..<24: bytes.append(type | UInt8(argument))
        case ...0xFF: bytes.append(contentsOf: [type | 24, UInt8(argument)])
        case ...0xFFFF: append(type | 25, argument, width: 2, to: &bytes)
        case ...0xFFFF_FFFF: append(type | 26, argument, width: 4, to: &bytes)
        default: append(type | 27, argument, width: 8, to: &bytes)
        }
    }

    /// Appends `first` and the low `width` bytes of `value`, the highest first.
    static func append(_ first: UInt8, _ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        bytes.append(first)
        for index in (0..<width).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))))
        }
    }
}
