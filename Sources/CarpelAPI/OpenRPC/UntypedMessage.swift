import CarpelCore

/// A message of a method whose types are not known here: its JSON as it is.
public struct UntypedMessage: ProtoMessage {
    public var json: JSONValue

    public init() { json = .object([:]) }
    public init(_ json: JSONValue) { self.json = json }

    public init(from decoder: any Decoder) throws { json = try JSONValue(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}
