/// One field of a message, in proto3's JSON mapping: absent and null mean the default, and the
/// default is written out, so that a reader with `jq` need not know it.
/// Source: https://protobuf.dev/programming-guides/json/
@propertyWrapper
public struct Field<Value: ProtoValue>: Codable, Sendable, Equatable {
    public var wrappedValue: Value

    public init() { wrappedValue = Value.protoDefault }
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws { wrappedValue = try Value(proto: decoder) }
    public func encode(to encoder: any Encoder) throws { try wrappedValue.jsonForm.encode(to: encoder) }
}

// The compiler's Codable synthesis picks these over the standard library's.
extension KeyedDecodingContainer {
    public func decode<Value>(_ type: Field<Value>.Type, forKey key: Key) throws -> Field<Value> {
        guard contains(key), try !decodeNil(forKey: key) else { return Field() }
        return Field(wrappedValue: try Value(proto: self, forKey: key))
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Value>(_ field: Field<Value>, forKey key: Key) throws {
        try field.wrappedValue.encode(to: &self, forKey: key)
    }
}
