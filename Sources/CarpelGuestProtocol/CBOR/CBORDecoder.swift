/// Reads a `Decodable` value from CBOR that may be hostile.
///
/// Any well-formed encoding is taken: indefinite lengths, longer heads than needed, tags (skipped) and map keys
/// that the type does not know (ignored, so that an old agent understands a newer host).
public struct CBORDecoder: Sendable {
    /// Deeper nesting is refused. Ours has less than a dozen levels.
    public static let maximumDepth = 24

    public init() {}

    /// - Throws: `CBORError` if the bytes are not one item, `DecodingError` if it is not a `Value`.
    public func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let reader = CBORReader(bytes: bytes)
        guard try reader.end(of: 0, depth: Self.maximumDepth) == bytes.count else { throw CBORError.trailingBytes }
        return try ItemDecoder(reader: reader, position: 0).decode(type)
    }
}

/// The item at one position.
private struct ItemDecoder: Decoder, SingleValueDecodingContainer {
    let reader: CBORReader
    let position: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let entries = try reader.entries(position) else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(KeyedItems<Key>(reader: reader, entries: entries))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let items = try reader.items(position) else { throw mismatch([Any].self) }
        return UnkeyedItems(reader: reader, items: items)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == [UInt8].self, try head().major == .bytes, let bytes = try reader.string(.bytes, position) as? Value {
            return bytes
        }
        return try type.init(from: self)
    }

    func decodeNil() -> Bool {
        guard let head = try? head(), head.major == .simple else { return false }
        return head.information == 22 || head.information == 23
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        let head = try head()
        guard head.major == .simple, head.information == 20 || head.information == 21 else { throw mismatch(type) }
        return head.information == 21
    }

    func decode(_ type: String.Type) throws -> String {
        guard try head().major == .text else { throw mismatch(type) }
        return try reader.text(position)
    }

    func decode(_ type: Double.Type) throws -> Double {
        let head = try head()
        switch (head.major, head.information) {
        case (.simple, 25): return Double(Self.half(UInt16(truncatingIfNeeded: head.argument)))
        case (.simple, 26): return Double(Float(bitPattern: UInt32(truncatingIfNeeded: head.argument)))
        case (.simple, 27): return Double(bitPattern: head.argument)
        default: throw mismatch(type)
        }
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

    private func head() throws -> CBORHead {
        var index = try reader.skipTags(position)
        return try reader.head(&index)
    }

    private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        let head = try head()
        let value: Value? =
            switch head.major {
            case .unsigned: Value(exactly: head.argument)
            case .negative: head.argument >> 63 == 0 ? Value(exactly: ~Int64(head.argument)) : nil
            default: nil
            }
        guard let value else { throw mismatch(type) }
        return value
    }

    /// IEEE 754 binary16 without the compiler's support library.
    private static func half(_ bits: UInt16) -> Float {
        let sign: Float = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 31)
        let fraction = Float(bits & 1023)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
        }
    }

    private func mismatch(_ type: any Any.Type) -> DecodingError {
        .typeMismatch(type, .init(codingPath: [], debugDescription: "byte \(position) starts something else"))
    }
}

private struct UnkeyedItems: UnkeyedDecodingContainer {
    let reader: CBORReader
    let items: [Int]
    var currentIndex = 0
    var codingPath: [any CodingKey] { [] }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex == items.count }

    init(reader: CBORReader, items: [Int]) {
        self.reader = reader
        self.items = items
    }

    private func item(_ type: any Any.Type) throws -> ItemDecoder {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(type, .init(codingPath: [], debugDescription: "the array has ended"))
        }
        return ItemDecoder(reader: reader, position: items[currentIndex])
    }

    mutating func decodeNil() throws -> Bool {
        guard try item(Never.self).decodeNil() else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try item(type).decode(type)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let container = try item(type).container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try item([Any].self).unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try item(Never.self)
        currentIndex += 1
        return decoder
    }
}

private struct KeyedItems<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let reader: CBORReader
    let entries: [String: Int]
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { entries.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { entries[key.stringValue] != nil }

    private func item(_ key: some CodingKey) throws -> ItemDecoder {
        guard let position = entries[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: [], debugDescription: "\(key.stringValue) is missing"))
        }
        return ItemDecoder(reader: reader, position: position)
    }

    func decodeNil(forKey key: Key) throws -> Bool { try item(key).decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try item(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try item(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try item(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try ItemDecoder(reader: reader, position: position("super")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try item(key) }

    private func position(_ name: String) throws -> Int {
        guard let position = entries[name] else { throw CBORError.malformed }
        return position
    }
}
