import CarpelCore
import Foundation

/// A type that a field can have, with its default and its form in proto3's JSON mapping.
public protocol ProtoValue: Sendable, Equatable {
    /// What it is written as: itself, or a string.
    associatedtype JSONForm: Encodable

    static var protoDefault: Self { get }
    static var schema: ProtoSchema { get }
    var jsonForm: JSONForm { get }
    init(proto decoder: any Decoder) throws
    /// Reads a member that is there and is not null.
    init<Key>(proto container: KeyedDecodingContainer<Key>, forKey key: Key) throws
    /// Writes it as a member of an object; a message that is not set is left out.
    func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws
}

extension ProtoValue {
    public init<Key>(proto container: KeyedDecodingContainer<Key>, forKey key: Key) throws {
        self = try container.decode(ProtoDecoding<Self>.self, forKey: key).value
    }

    public func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws {
        try container.encode(jsonForm, forKey: key)
    }
}

// A container's methods for strings, numbers and truth values take none of the detours of the one for any type.

extension ProtoValue where JSONForm == String {
    public func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws {
        try container.encode(jsonForm, forKey: key)
    }
}

extension ProtoValue where JSONForm == Bool {
    public func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws {
        try container.encode(jsonForm, forKey: key)
    }
}

extension ProtoValue where JSONForm == Int32 {
    public func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws {
        try container.encode(jsonForm, forKey: key)
    }
}

extension ProtoValue where JSONForm == UInt32 {
    public func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws {
        try container.encode(jsonForm, forKey: key)
    }
}

/// A value as a decoder's container takes it.
struct ProtoDecoding<Value: ProtoValue>: Decodable {
    let value: Value
    init(from decoder: any Decoder) throws { value = try Value(proto: decoder) }
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
    public var jsonForm: String { self }
    public init(proto decoder: any Decoder) throws { self = try decoder.singleValueContainer().decode(String.self) }
    public init<Key>(proto container: KeyedDecodingContainer<Key>, forKey key: Key) throws {
        self = try container.decode(String.self, forKey: key)
    }
}

extension Bool: ProtoValue {
    public static var protoDefault: Bool { false }
    public static var schema: ProtoSchema { .bool }
    public var jsonForm: Bool { self }
    public init(proto decoder: any Decoder) throws { self = try decoder.singleValueContainer().decode(Bool.self) }
    public init<Key>(proto container: KeyedDecodingContainer<Key>, forKey key: Key) throws {
        self = try container.decode(Bool.self, forKey: key)
    }
}

extension Int32: ProtoValue {
    public static var protoDefault: Int32 { 0 }
    public static var schema: ProtoSchema { .int32 }
    public var jsonForm: Int32 { self }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
}

extension UInt32: ProtoValue {
    public static var protoDefault: UInt32 { 0 }
    public static var schema: ProtoSchema { .uint32 }
    public var jsonForm: UInt32 { self }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
}

/// Written as a string, since JavaScript's numbers end at 2^53.
extension Int64: ProtoValue {
    public static var protoDefault: Int64 { 0 }
    public static var schema: ProtoSchema { .int64 }
    public var jsonForm: String { String(self) }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
}

/// Written as a string, as `Int64` is.
extension UInt64: ProtoValue {
    public static var protoDefault: UInt64 { 0 }
    public static var schema: ProtoSchema { .uint64 }
    public var jsonForm: String { String(self) }
    public init(proto decoder: any Decoder) throws { self = try decodeInteger(from: decoder) }
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
    public var jsonForm: JSONValue {
        if isFinite { return .number(self) }
        return .string(isNaN ? "NaN" : self > 0 ? "Infinity" : "-Infinity")
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
    public var jsonForm: String { base64EncodedString() }
}

extension Dictionary: ProtoValue where Key == String, Value == String {
    public static var protoDefault: [String: String] { [:] }
    public static var schema: ProtoSchema { .map }
    public init(proto decoder: any Decoder) throws {
        self = try decoder.singleValueContainer().decode([String: String].self)
    }
    public var jsonForm: [String: String] { self }
    public func encode<Name>(to container: inout KeyedEncodingContainer<Name>, forKey key: Name) throws {
        var members = container.nestedContainer(keyedBy: MemberName.self, forKey: key)
        for (name, value) in self { try members.encode(value, forKey: MemberName(name)) }
    }
}

extension Array: ProtoValue where Element: ProtoValue {
    public static var protoDefault: [Element] { [] }
    public static var schema: ProtoSchema { .list(Element.schema) }
    public init(proto decoder: any Decoder) throws {
        self = try [ProtoDecoding<Element>](from: decoder).map(\.value)
    }
    public var jsonForm: [Element.JSONForm] { map(\.jsonForm) }
}

extension Optional: ProtoValue where Wrapped: ProtoMessage {
    public static var protoDefault: Wrapped? { nil }
    public static var schema: ProtoSchema { Wrapped.schema }
    public var jsonForm: Wrapped? { self }
    public init(proto decoder: any Decoder) throws { self = try Wrapped(proto: decoder) }
    public func encode<Key>(to container: inout KeyedEncodingContainer<Key>, forKey key: Key) throws {
        if let self { try container.encode(self, forKey: key) }
    }
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
