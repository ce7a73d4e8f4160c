import Foundation

/// A type that a field can have, with its default and its form in proto3's JSON mapping.
public protocol ProtoValue: Sendable, Equatable {
    static var protoDefault: Self { get }
    static var schema: ProtoSchema { get }
    init(proto decoder: any Decoder) throws
    func encodeProto(to encoder: any Encoder) throws
    /// True for a message field that is not set: it alone is left out of the JSON.
    var isAbsentMessage: Bool { get }
}

extension ProtoValue {
    public var isAbsentMessage: Bool { false }
}

/// What a field holds, for the protocol's description and for finding unknown fields.
public indirect enum ProtoSchema: Sendable {
    case string, bool, int32, uint32, int64, uint64, double, bytes
    case enumeration([String])
    case message(any ProtoMessage.Type)
    case list(ProtoSchema)
    case map
}

extension String: ProtoValue {
    public static var protoDefault: String { "" }
    public static var schema: ProtoSchema { .string }
    public init(proto decoder: any Decoder) throws { self = try decoder.singleValueContainer().decode(String.self) }
    public func encodeProto(to encoder: any Encoder) throws { try encode(to: encoder) }
}

extension Bool: ProtoValue {
    public static var protoDefault: Bool { false }
    public static var schema: ProtoSchema { .bool }
    public init(proto decoder: any Decoder) throws { self = try decoder.singleValueContainer().decode(Bool.self) }
    public func encodeProto(to encoder: any Encoder) throws { try encode(to: encoder) }
}

extension Int32: ProtoValue {
    public static var protoDefault: Int32 { 0 }
    public static var schema: ProtoSchema { .int32 }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
    public func encodeProto(to encoder: any Encoder) throws { try encode(to: encoder) }
}

extension UInt32: ProtoValue {
    public static var protoDefault: UInt32 { 0 }
    public static var schema: ProtoSchema { .uint32 }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
    public func encodeProto(to encoder: any Encoder) throws { try encode(to: encoder) }
}

/// Written as a string, since JavaScript's numbers end at 2^53.
extension Int64: ProtoValue {
    public static var protoDefault: Int64 { 0 }
    public static var schema: ProtoSchema { .int64 }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
    public func encodeProto(to encoder: any Encoder) throws { try String(self).encode(to: encoder) }
}

/// Written as a string, as `Int64` is.
extension UInt64: ProtoValue {
    public static var protoDefault: UInt64 { 0 }
    public static var schema: ProtoSchema { .uint64 }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
    public func encodeProto(to encoder: any Encoder) throws { try String(self).encode(to: encoder) }
}

/// A number, or the same as a string; what JSON has no number for is `"NaN"`, `"Infinity"` and `"-Infinity"`.
extension Double: ProtoValue {
    public static var protoDefault: Double { 0 }
    public static var schema: ProtoSchema { .double }
    public init(proto decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try? container.decode(String.self)
        let value = text.map { Self.unwritable[$0] ?? Double(jsonText: $0) } ?? (try? container.decode(Double.self))
        guard let value else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "must be a number")
        }
        self = value
    }
    public func encodeProto(to encoder: any Encoder) throws {
        if isFinite { return try encode(to: encoder) }
        try (isNaN ? "NaN" : self > 0 ? "Infinity" : "-Infinity").encode(to: encoder)
    }

    private static let unwritable = ["NaN": Double.nan, "Infinity": .infinity, "-Infinity": -.infinity]

    /// Nil for what only Swift takes for a number, such as `0x1p3` or `inf`, and for what is out of range.
    private init?(jsonText text: String) {
        guard let value = try? JSONDecoder().decode(Double.self, from: Data(text.utf8)) else { return nil }
        self = value
    }
}

/// Base64; the URL-safe alphabet and missing padding are read too.
extension Data: ProtoValue {
    public static var protoDefault: Data { Data() }
    public static var schema: ProtoSchema { .bytes }
    public init(proto decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        var text = try container.decode(String.self)
        text = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        guard let data = Data(base64Encoded: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64")
        }
        self = data
    }
    public func encodeProto(to encoder: any Encoder) throws { try base64EncodedString().encode(to: encoder) }
}

extension Dictionary: ProtoValue where Key == String, Value == String {
    public static var protoDefault: [String: String] { [:] }
    public static var schema: ProtoSchema { .map }
    public init(proto decoder: any Decoder) throws {
        self = try decoder.singleValueContainer().decode([String: String].self)
    }
    public func encodeProto(to encoder: any Encoder) throws { try encode(to: encoder) }
}

extension Array: ProtoValue where Element: ProtoValue {
    public static var protoDefault: [Element] { [] }
    public static var schema: ProtoSchema { .list(Element.schema) }
    public init(proto decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self = []
        while !container.isAtEnd { append(try Element(proto: container.superDecoder())) }
    }
    public func encodeProto(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for element in self { try element.encodeProto(to: container.superEncoder()) }
    }
}

extension Optional: ProtoValue where Wrapped: ProtoMessage {
    public static var protoDefault: Wrapped? { nil }
    public static var schema: ProtoSchema { Wrapped.schema }
    public init(proto decoder: any Decoder) throws { self = try Wrapped(from: decoder) }
    public func encodeProto(to encoder: any Encoder) throws { try self?.encode(to: encoder) }
    public var isAbsentMessage: Bool { self == nil }
}

/// A whole number, or the same as decimal digits in a string.
private func decodeInteger<Integer: FixedWidthInteger & Decodable>(from decoder: any Decoder) throws -> Integer {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
        if let value = Integer(text), text.first != "+" { return value }
    } else if let value = try? container.decode(Integer.self) {
        return value
    }
    throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "must be a whole number from \(Integer.min) to \(Integer.max)")
}
