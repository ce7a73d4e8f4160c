import Synchronization

/// A message: a struct whose every stored property is a `@Field`.
public protocol ProtoMessage: Codable, ProtoValue where JSONForm == Self {
    init()
}

extension ProtoMessage {
    public static var protoDefault: Self { Self() }
    public static var schema: ProtoSchema { .message(Self.self) }
    public init(proto decoder: any Decoder) throws {
        Self.reportUnknownFields(of: decoder)
        try self.init(from: decoder)
    }
    public var jsonForm: Self { self }

    /// A message with some of its fields set: `PodSandboxMetadata { $0.name = "web" }`.
    public init(_ set: (inout Self) throws -> Void) rethrows {
        self.init()
        try set(&self)
    }

    /// The fields in the order of their declaration, by their JSON names.
    public static var fields: [(name: String, schema: ProtoSchema)] { MessageFields.of(Self.self).all }

    static func hasField(_ name: String) -> Bool { MessageFields.of(Self.self).names.contains(name) }
}

/// The fields of a type of messages. They are kept, since a mirror takes longer than to read a message.
private struct MessageFields: Sendable {
    let all: [(name: String, schema: ProtoSchema)]
    let names: Set<String>

    private static let known = Mutex<[ObjectIdentifier: MessageFields]>([:])

    private init(_ message: some ProtoMessage) {
        all = Mirror(reflecting: message).children.compactMap { child in
            guard let label = child.label, let field = child.value as? any DescribedField else { return nil }
            return (String(label.dropFirst()), field.schema)
        }
        names = Set(all.map(\.name))
    }

    static func of<Message: ProtoMessage>(_ type: Message.Type) -> MessageFields {
        let id = ObjectIdentifier(type)
        if let fields = known.withLock({ $0[id] }) { return fields }
        let fields = MessageFields(Message())
        known.withLock { $0[id] = fields }
        return fields
    }
}

private protocol DescribedField {
    var schema: ProtoSchema { get }
}

extension Field: DescribedField {
    fileprivate var schema: ProtoSchema { Value.schema }
}

/// An enumeration whose cases are numbered from 0 in the order of their declaration.
/// It is written by name and read by name or number.
public protocol ProtoEnum: ProtoValue, RawRepresentable, CaseIterable where RawValue == String, JSONForm == String {}

extension ProtoEnum {
    public static var protoDefault: Self { allCases[allCases.startIndex] }
    public static var schema: ProtoSchema { .enumeration(allCases.map(\.rawValue)) }

    public init(proto decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let found: Self?
        if let name = try? container.decode(String.self) {
            found = Self(rawValue: name)
        } else {
            let number = try container.decode(Int.self)
            found = Self.allCases.enumerated().first { $0.offset == number }?.element
        }
        guard let found else {
            let names = Self.allCases.prefix(8).map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not one of \(names)")
        }
        self = found
    }

    public var jsonForm: String { rawValue }
}
