import CarpelCore

/// The part of JSON Schema that manifests and plugins' configurations are described with.
///
/// A keyword that is not supported is an error, so that a schema never promises more than is checked. A member that
/// `properties` does not name is an error unless `additionalProperties` allows it: a misspelt setting must not pass.
/// Source: https://json-schema.org/draft/2020-12/json-schema-validation
struct JSONSchema: Sendable {
    enum ValueType: String, Sendable, CaseIterable {
        case object, array, string, integer, number, boolean, null
    }

    indirect enum AdditionalMembers: Sendable {
        case forbidden, allowed
        case matching(JSONSchema)
    }

    var types: [ValueType] = []
    var members: [String: JSONSchema] = [:]
    var required: [String] = []
    var additionalMembers = AdditionalMembers.forbidden
    /// An array of at most one.
    var elements: [JSONSchema] = []
    var allowedValues: [JSONValue] = []
    var minimum: Double?
    var maximum: Double?
    var minimumLength: Int?
    var maximumLength: Int?
    var pattern: Pattern?

    /// How many problems of a schema, or of one object's members or one array's elements, are looked for;
    /// nobody reads on.
    static let mostProblems = 20

    /// What a schema may say that is only for people and editors.
    private static let annotations: Set<String> = [
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "format", "deprecated",
    ]

    private static let keywords: Set<String> = [
        "type", "properties", "required", "additionalProperties", "items", "enum", "minimum", "maximum", "minLength",
        "maxLength", "minItems", "maxItems", "pattern",
    ]

    /// - Throws: ``SchemaError`` with all that is wrong with the schema.
    init(_ node: JSONNode, at path: String = "") throws(SchemaError) {
        var problems: [JSONProblem] = []
        self.init(node, at: path, &problems)
        if !problems.isEmpty { throw SchemaError(problems: problems) }
    }

    struct SchemaError: Error {
        let problems: [JSONProblem]
    }

    private init(_ node: JSONNode, at path: String, _ problems: inout [JSONProblem]) {
        guard let keywords = node.members else {
            problems.append(JSONProblem(path: path, line: node.line, text: "must be an object"))
            return
        }
        for keyword in keywords where problems.count < Self.mostProblems {
            let place = path.isEmpty ? keyword.name : "\(path).\(keyword.name)"
            guard !Self.annotations.contains(keyword.name) else { continue }
            if let problem = read(keyword.name, keyword.value, at: place, &problems) {
                problems.append(JSONProblem(path: place, line: keyword.line, text: problem))
            }
        }
    }

    /// - Returns: what is wrong with the keyword itself.
    private mutating func read(
        _ keyword: String, _ node: JSONNode, at path: String, _ problems: inout [JSONProblem]
    ) -> String? {
        switch keyword {
        case "type":
            let names = node.elements?.map(\.string) ?? [node.string]
            types = names.compactMap { $0.flatMap(ValueType.init(rawValue:)) }
            let all = ValueType.allCases.map(\.rawValue).joined(separator: ", ")
            return types.count == names.count && !types.isEmpty ? nil : "must be one or more of \(all)"
        case "properties":
            guard let named = node.members else { return "must be an object of schemas" }
            for member in named {
                members[member.name] = JSONSchema(member.value, at: "\(path).\(member.name)", &problems)
            }
        case "required":
            guard let names = node.strings else { return "must be an array of strings" }
            required = names
        case "additionalProperties":
            if let bool = node.bool {
                additionalMembers = bool ? .allowed : .forbidden
            } else {
                additionalMembers = .matching(JSONSchema(node, at: path, &problems))
            }
        case "items": elements = [JSONSchema(node, at: path, &problems)]
        case "enum":
            guard let values = node.elements, !values.isEmpty else { return "must be an array of values" }
            allowedValues = values.map(\.value)
        case "minimum", "maximum":
            guard let number = node.number else { return "must be a number" }
            if keyword == "minimum" { minimum = number } else { maximum = number }
        case "minLength", "minItems", "maxLength", "maxItems":
            guard case .integer(let count) = node.content, count >= 0 else { return "must be a whole number" }
            if keyword.hasPrefix("min") { minimumLength = Int(count) } else { maximumLength = Int(count) }
        case "pattern":
            guard let text = node.string else { return "must be a regular expression" }
            // The library reads brackets within brackets by recursion, which ends at the end of the stack.
            guard text.utf8.count <= 1024, text.utf8.count(where: { $0 == 0x28 || $0 == 0x5B }) <= 64 else {
                return "must have at most 1024 bytes, 64 opening brackets among them"
            }
            guard let read = Pattern(text) else { return "must be a regular expression" }
            pattern = read
        default:
            return "is no keyword that is supported" + suggestionText(for: keyword, among: Self.keywords)
        }
        return nil
    }
}

extension JSONNode {
    var strings: [String]? {
        guard let elements else { return nil }
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
    }
}
