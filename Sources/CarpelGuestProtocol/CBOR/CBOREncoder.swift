/// Writes an `Encodable` value as CBOR: keyed containers as maps with text keys, `[UInt8]` as a byte string,
/// every head in its shortest form, every length definite.
///
/// Source: RFC 8949.
public struct CBOREncoder: Sendable {
    public init() {}

    public func encode(_ value: some Encodable) throws -> [UInt8] {
        let node = CBORNode()
        try node.fill(with: value)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        node.write(to: &bytes)
        return bytes
    }
}

/// An item under construction. Lengths stand in front of what they count, so that containers are written
/// only once they are complete.
private final class CBORNode {
    enum Content {
        case leaf([UInt8])
        case array([CBORNode])
        case map([(key: String, value: CBORNode)])
    }

    /// Null until something is encoded.
    var content = Content.leaf([0xF6])

    func fill(with value: some Encodable) throws {
        if let bytes = Self.bytes(value) {
            var leaf: [UInt8] = []
            leaf.reserveCapacity(bytes.count + 9)
            CBORHead.append(.bytes, UInt64(bytes.count), to: &leaf)
            leaf.append(contentsOf: bytes)
            content = .leaf(leaf)
        } else {
            try value.encode(to: NodeEncoder(node: self))
        }
    }

    /// The types are compared first: `as?` alone would take any empty array for one of bytes.
    private static func bytes<Value: Encodable>(_ value: Value) -> [UInt8]? {
        Value.self == [UInt8].self ? value as? [UInt8] : nil
    }

    func set(_ major: CBORHead.Major, _ argument: UInt64) {
        var leaf: [UInt8] = []
        CBORHead.append(major, argument, to: &leaf)
        content = .leaf(leaf)
    }

    func set(_ value: some SignedInteger) {
        let value = Int64(value)
        if value < 0 { set(.negative, UInt64(bitPattern: ~value)) } else { set(.unsigned, UInt64(value)) }
    }

    func set(_ value: Bool) { content = .leaf([value ? 0xF5 : 0xF4]) }

    func set(_ value: String) {
        var leaf: [UInt8] = []
        CBORHead.append(.text, UInt64(value.utf8.count), to: &leaf)
        leaf.append(contentsOf: value.utf8)
        content = .leaf(leaf)
    }

    func set(_ value: Double) {
        var leaf: [UInt8] = []
        CBORHead.append(0xFB, value.bitPattern, width: 8, to: &leaf)
        content = .leaf(leaf)
    }

    func append() -> CBORNode {
        let child = CBORNode()
        if case .array(var items) = content {
            content = .leaf([])  // Releases the array, so that it grows in place.
            items.append(child)
            content = .array(items)
        } else {
            content = .array([child])
        }
        return child
    }

    func append(_ key: String) -> CBORNode {
        let child = CBORNode()
        if case .map(var items) = content {
            content = .leaf([])
            items.append((key, child))
            content = .map(items)
        } else {
            content = .map([(key, child)])
        }
        return child
    }

    var count: Int {
        if case .array(let items) = content { items.count } else { 0 }
    }

    func write(to bytes: inout [UInt8]) {
        switch content {
        case .leaf(let leaf):
            bytes.append(contentsOf: leaf)
        case .array(let items):
            CBORHead.append(.array, UInt64(items.count), to: &bytes)
            for item in items { item.write(to: &bytes) }
        case .map(let items):
            CBORHead.append(.map, UInt64(items.count), to: &bytes)
            for (key, item) in items {
                CBORHead.append(.text, UInt64(key.utf8.count), to: &bytes)
                bytes.append(contentsOf: key.utf8)
                item.write(to: &bytes)
            }
        }
    }
}

private struct NodeEncoder: Encoder {
    let node: CBORNode
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .map = node.content {} else { node.content = .map([]) }
        return KeyedEncodingContainer(KeyedNodes<Key>(node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = node.content {} else { node.content = .array([]) }
        return UnkeyedNodes(node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleNode(node: node) }
}

private struct SingleNode: SingleValueEncodingContainer {
    let node: CBORNode
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { node.content = .leaf([0xF6]) }
    func encode(_ value: Bool) { node.set(value) }
    func encode(_ value: String) { node.set(value) }
    func encode(_ value: Double) { node.set(value) }
    func encode(_ value: Float) { node.set(Double(value)) }
    func encode(_ value: Int) { node.set(value) }
    func encode(_ value: Int8) { node.set(value) }
    func encode(_ value: Int16) { node.set(value) }
    func encode(_ value: Int32) { node.set(value) }
    func encode(_ value: Int64) { node.set(value) }
    func encode(_ value: UInt) { node.set(.unsigned, UInt64(value)) }
    func encode(_ value: UInt8) { node.set(.unsigned, UInt64(value)) }
    func encode(_ value: UInt16) { node.set(.unsigned, UInt64(value)) }
    func encode(_ value: UInt32) { node.set(.unsigned, UInt64(value)) }
    func encode(_ value: UInt64) { node.set(.unsigned, value) }
    func encode(_ value: some Encodable) throws { try node.fill(with: value) }
}

private struct UnkeyedNodes: UnkeyedEncodingContainer {
    let node: CBORNode
    var codingPath: [any CodingKey] { [] }
    var count: Int { node.count }

    func encodeNil() { _ = node.append() }
    func encode(_ value: some Encodable) throws { try node.append().fill(with: value) }

    func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        NodeEncoder(node: node.append()).container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        NodeEncoder(node: node.append()).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { NodeEncoder(node: node.append()) }
}

private struct KeyedNodes<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: CBORNode
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) { _ = node.append(key.stringValue) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try node.append(key.stringValue).fill(with: value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        NodeEncoder(node: node.append(key.stringValue)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        NodeEncoder(node: node.append(key.stringValue)).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { NodeEncoder(node: node.append("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { NodeEncoder(node: node.append(key.stringValue)) }
}
