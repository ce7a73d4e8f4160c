import Foundation

/// Any JSON, its members in the order of their names.
indirect enum JSONValue: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let string = try? container.decode(String.self) {
            self = .string(string)
        } else if let array = try? container.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let integer): try container.encode(integer)
        case .number(let number): try container.encode(number)
        case .string(let string): try container.encode(string)
        case .array(let array): try container.encode(array)
        case .object(let object): try container.encode(object)
        }
    }

    init(text: String) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// A message as the socket would carry it.
    init(encoding message: some Encodable) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(message))
    }

    /// The value with `info`, whose members are JSON texts, as JSON.
    func withReadableInfo() -> JSONValue {
        guard case .object(var members) = self, case .object(let info)? = members["info"] else { return self }
        members["info"] = .object(
            info.mapValues { value in
                guard case .string(let text) = value else { return value }
                return (try? JSONValue(text: text)) ?? value
            })
        return .object(members)
    }
}

extension JSONValue {
    /// The text over several lines, indented by two spaces.
    var prettyText: String { text(indent: "") }

    private func text(indent: String) -> String {
        switch self {
        case .array(let items) where !items.isEmpty:
            block("[", items.map { $0.text(indent: indent + "  ") }, "]", indent)
        case .object(let members) where !members.isEmpty:
            block(
                "{",
                members.sorted { $0.key < $1.key }.map { key, value in
                    "\(JSONValue.string(key).line): \(value.text(indent: indent + "  "))"
                }, "}", indent)
        default:
            line
        }
    }

    private func block(_ open: String, _ lines: [String], _ close: String, _ indent: String) -> String {
        let inner = lines.map { "\(indent)  \($0)" }.joined(separator: ",\n")
        return "\(open)\n\(inner)\n\(indent)\(close)"
    }

    /// The text on one line.
    private var line: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
