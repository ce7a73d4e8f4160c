import CarpelCore

/// A JSON value that knows where it stands.
///
/// No library here tells the line of a member, which is what the author of a manifest needs to know.
struct JSONNode: Sendable {
    indirect enum Content: Sendable {
        case null
        case bool(Bool)
        case integer(Int64)
        case number(Double)
        case string(String)
        case array([JSONNode])
        case object([Member])
    }

    struct Member: Sendable {
        let name: String
        let line: Int?
        let value: JSONNode
    }

    let content: Content
    /// From 1; nil for what was not read from a text.
    let line: Int?

    /// - Throws: ``JSONSyntaxError``.
    init(text: [UInt8]) throws {
        var parser = try JSONParser(text)
        self = try parser.document()
    }

    init(_ content: Content, line: Int?) {
        self.content = content
        self.line = line
    }

    init(_ value: JSONValue) {
        line = nil
        content =
            switch value {
            case .null: .null
            case .bool(let bool): .bool(bool)
            case .integer(let integer): .integer(integer)
            case .number(let number): .number(number)
            case .string(let string): .string(string)
            case .array(let array): .array(array.map { JSONNode($0) })
            case .object(let members):
                .object(
                    members.sorted { $0.key < $1.key }.map { Member(name: $0, line: nil, value: JSONNode($1)) })
            }
    }

    var value: JSONValue {
        switch content {
        case .null: .null
        case .bool(let bool): .bool(bool)
        case .integer(let integer): .integer(integer)
        case .number(let number): .number(number)
        case .string(let string): .string(string)
        case .array(let array): .array(array.map(\.value))
        case .object(let members):
            .object(Dictionary(members.map { ($0.name, $0.value.value) }, uniquingKeysWith: { $1 }))
        }
    }

    var members: [Member]? { if case .object(let members) = content { members } else { nil } }
    var elements: [JSONNode]? { if case .array(let elements) = content { elements } else { nil } }
    var string: String? { if case .string(let string) = content { string } else { nil } }
    var bool: Bool? { if case .bool(let bool) = content { bool } else { nil } }

    var number: Double? {
        switch content {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    subscript(_ name: String) -> JSONNode? { members?.first { $0.name == name }?.value }
}

/// What is wrong with a text that is no JSON.
struct JSONSyntaxError: Error, Equatable {
    let line: Int
    /// In bytes, from 1.
    let column: Int
    let problem: String
}
