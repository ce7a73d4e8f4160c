/// A number of bytes, read and written as a Kubernetes quantity (`128Mi`).
///
/// Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
public struct ByteCount: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let bytes: Int64

    public init(_ bytes: Int64) { self.bytes = bytes }

    public static func kibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 10) }
    public static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(count << 20) }
    public static func gibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 30) }

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
    public static func + (left: ByteCount, right: ByteCount) -> ByteCount { ByteCount(left.bytes + right.bytes) }

    /// Reads a quantity, or a plain number of bytes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let bytes = try? container.decode(Int64.self) {
            self.init(bytes)
        } else if let count = ByteCount(quantity: try container.decode(String.self)) {
            self = count
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a quantity such as 128Mi or 8Gi")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(quantity)
    }

    /// In the largest unit that leaves a whole number: `128Mi`.
    public var quantity: String {
        let (suffix, factor) = Self.suffixes.prefix(4).last { bytes != 0 && bytes % $0.1 == 0 } ?? ("", 1)
        return "\(bytes / factor)\(suffix)"
    }

    /// Rounded down to whole mebibytes.
    public var mebibytes: Int64 { bytes >> 20 }

    /// The largest unit that leaves at least one, with one decimal: `4.5 MiB`.
    public var description: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var unit = 0
        var divisor: UInt64 = 1
        while bytes.magnitude / divisor >= 1024 && unit < units.count - 1 {
            divisor *= 1024
            unit += 1
        }
        let tenths = bytes.magnitude / divisor * 10 + bytes.magnitude % divisor * 10 / divisor
        let sign = bytes < 0 ? "-" : ""
        return unit == 0 ? "\(bytes) B" : "\(sign)\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    private static let suffixes: [(String, Int64)] = [
        ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40),
        ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("", 1),
    ]

    /// Reads a Kubernetes quantity of bytes without fraction: `1073741824`, `128Mi`, `2G`.
    /// Nil if it is not one or does not fit 63 bits.
    public init?(quantity: some StringProtocol) {
        for (suffix, factor) in Self.suffixes where quantity.hasSuffix(suffix) {
            guard let count = Int64(quantity.dropLast(suffix.count)), count >= 0 else { return nil }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            self.init(bytes)
            return
        }
        return nil
    }
}
