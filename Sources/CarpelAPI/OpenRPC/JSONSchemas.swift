import CarpelCore

/// The messages as JSON Schema, by their names. Source: https://json-schema.org/draft-07
struct JSONSchemas {
    private(set) var byName: [String: JSONValue] = [:]

    /// The schema of a field's value; messages become references, and are added with all that they hold.
    mutating func schema(_ schema: ProtoSchema) -> JSONValue {
        switch schema {
        case .string: ["type": "string"]
        case .bool: ["type": "boolean"]
        case .int32: number("integer", "int32")
        case .uint32: number("integer", "uint32")
        case .int64: number("integer", "int64")
        case .uint64: number("integer", "uint64")
        case .double: number("number", "double")
        case .bytes: ["type": "string", "contentEncoding": "base64"]
        case .enumeration(let names):
            [
                "anyOf": [
                    ["type": "string", "enum": .array(names.map(JSONValue.string))],
                    ["type": "integer", "minimum": 0, "maximum": .integer(Int64(names.count - 1))],
                ]
            ]
        case .list(let element): ["type": "array", "items": self.schema(element)]
        case .map: ["type": "object", "additionalProperties": ["type": "string"]]
        case .message(let type): reference(to: type)
        }
    }

    /// Numbers are read as strings too, and those of 64 bits are written so.
    private func number(_ type: JSONValue, _ format: JSONValue) -> JSONValue {
        ["type": [type, "string"], "format": format]
    }

    private mutating func reference(to type: any ProtoMessage.Type) -> JSONValue {
        let name = String(describing: type)
        if byName[name] == nil {
            // Before its fields, which may hold the type again.
            byName[name] = [:]
            var properties: [String: JSONValue] = [:]
            for field in type.fields {
                properties[field.name] = schema(field.schema).described(MessageComments.all["\(name).\(field.name)"])
            }
            let message: JSONValue = [
                "title": .string(name), "type": "object", "properties": .object(properties),
            ]
            byName[name] = message.described(MessageComments.all[name])
        }
        return ["$ref": .string("#/components/schemas/\(name)")]
    }
}

extension JSONValue {
    /// An object with the comment of the declaration that it was made from.
    func described(_ comment: String?) -> JSONValue {
        guard let comment, case .object(var members) = self else { return self }
        // What stands beside a reference is not read. Source: draft-07, section 8.3
        if members["$ref"] != nil { members = ["allOf": [self]] }
        members["description"] = .string(comment)
        return .object(members)
    }

    /// A message without the members that have their default.
    static func sparse<Message: ProtoMessage>(_ message: Message) -> JSONValue {
        // What JSON has no form for is not in a message.
        ((try? JSONValue(encoding: message)) ?? .null).sparse(Message.schema)
    }

    private func sparse(_ schema: ProtoSchema) -> JSONValue {
        switch (self, schema) {
        case (.object(let members), .message(let type)):
            guard case .object(let defaults)? = try? JSONValue(encoding: type.init()) else { return self }
            let fields = Dictionary(type.fields.map { ($0.name, $0.schema) }) { first, _ in first }
            return .object(
                members.filter { defaults[$0.key] != $0.value }.reduce(into: [:]) { sparse, member in
                    sparse[member.key] = fields[member.key].map { member.value.sparse($0) }
                })
        case (.array(let items), .list(let element)):
            return .array(items.map { $0.sparse(element) })
        default:
            return self
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
