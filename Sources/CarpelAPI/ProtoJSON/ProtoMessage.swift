/// A message: a struct whose every stored property is a `@Field`.
public protocol ProtoMessage: Codable, ProtoValue {
    init()
}

extension ProtoMessage {
    public static var protoDefault: Self { Self() }
    public static var schema: ProtoSchema { .message(Self.self) }
    public init(proto decoder: any Decoder) throws { try self.init(from: decoder) }
    public func encodeProto(to encoder: any Encoder) throws { try encode(to: encoder) }

    /// A message with some of its fields set: `PodSandboxMetadata { $0.name = "web" }`.
    public init(_ set: (inout Self) throws -> Void) rethrows {
        self.init()
        try set(&self)
    }

    /// The fields in the order of their declaration, by their JSON names.
    public static var fields: [(name: String, schema: ProtoSchema)] {
        Mirror(reflecting: Self()).children.compactMap { child in
            guard let label = child.label, let field = child.value as? any DescribedField else { return nil }
            return (String(label.dropFirst()), field.schema)
        }
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
public protocol ProtoEnum: ProtoValue, RawRepresentable, CaseIterable where RawValue == String {}

extension ProtoEnum {
    public static var protoDefault: Self { allCases[allCases.startIndex] }
    public static var schema: ProtoSchema { .enumeration(allCases.map(\.rawValue)) }

    public init(proto decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let found: Self?
        if let number = try? container.decode(Int.self) {
            found = Self.allCases.enumerated().first { $0.offset == number }?.element
        } else {
            found = Self(rawValue: try container.decode(String.self))
        }
        guard let found else {
            let names = Self.allCases.prefix(8).map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not one of \(names)")
        }
        self = found
    }

    public func encodeProto(to encoder: any Encoder) throws { try rawValue.encode(to: encoder) }
}
