import CarpelCore

extension JSONSchema {
    /// What is wrong with a value; nothing if it is as the schema says.
    func problems(of node: JSONNode, at path: String = "") -> [JSONProblem] {
        func problem(_ text: String) -> [JSONProblem] { [JSONProblem(path: path, line: node.line, text: text)] }

        guard types.isEmpty || types.contains(where: { node.content.isOf($0) }) else {
            let names = types.map(\.withArticle).joined(separator: " or ")
            return problem("must be \(names), not \(node.content.type.withArticle)")
        }
        guard allowedValues.isEmpty || allowedValues.contains(node.value) else {
            let values = allowedValues.map(\.text)
            let hint = node.string.map { suggestionText(for: $0, among: allowedValues.compactMap(\.string)) } ?? ""
            return problem("must be \(values.joined(separator: " or ")), not \(node.value.text)\(hint)")
        }
        switch node.content {
        case .object(let members): return memberProblems(members, of: node, at: path)
        case .array(let nodes):
            return lengthProblem(nodes.count, "element").map(problem) ?? elementProblems(nodes, at: path)
        case .string(let string): return stringProblem(string).map(problem) ?? []
        case .integer, .number: return rangeProblem(node.number ?? 0).map(problem) ?? []
        case .bool, .null: return []
        }
    }

    private func memberProblems(_ found: [JSONNode.Member], of node: JSONNode, at path: String) -> [JSONProblem] {
        var problems: [JSONProblem] = []
        for member in found where problems.count < Self.mostProblems {
            let place = path.isEmpty ? member.name : "\(path).\(member.name)"
            if let schema = members[member.name] {
                problems += schema.problems(of: member.value, at: place)
                continue
            }
            switch additionalMembers {
            case .allowed: break
            case .matching(let schema): problems += schema.problems(of: member.value, at: place)
            case .forbidden where !constrainsMembers: break
            case .forbidden:
                let hint = suggestionText(for: member.name, among: members.keys.sorted())
                problems.append(JSONProblem(path: place, line: member.line, text: "is unknown\(hint)"))
            }
        }
        for name in required where !found.contains(where: { $0.name == name }) {
            let place = path.isEmpty ? name : "\(path).\(name)"
            problems.append(JSONProblem(path: place, line: node.line, text: "is missing"))
        }
        return problems
    }

    /// `{}` and `{"type": "object"}` say nothing about members.
    private var constrainsMembers: Bool { !members.isEmpty || !required.isEmpty }

    private func elementProblems(_ nodes: [JSONNode], at path: String) -> [JSONProblem] {
        guard let schema = elements.first else { return [] }
        var problems: [JSONProblem] = []
        for (index, node) in nodes.enumerated() where problems.count < Self.mostProblems {
            problems += schema.problems(of: node, at: "\(path)[\(index)]")
        }
        return problems
    }

    private func stringProblem(_ string: String) -> String? {
        if let problem = lengthProblem(string.unicodeScalars.count, "character") { return problem }
        guard let pattern else { return nil }
        switch pattern.match(string) {
        case .some(true): return nil
        case .some(false): return "must match \(pattern.text), which \"\(string)\" does not"
        case .none: return "takes too long to compare with \(pattern.text); shorten it, or have the pattern simplified"
        }
    }

    private func lengthProblem(_ length: Int, _ unit: String) -> String? {
        if let minimumLength, length < minimumLength { return "must have at least \(count(minimumLength, unit))" }
        if let maximumLength, length > maximumLength { return "must have at most \(count(maximumLength, unit))" }
        return nil
    }

    private func count(_ number: Int, _ unit: String) -> String { "\(number) \(unit)\(number == 1 ? "" : "s")" }

    private func rangeProblem(_ number: Double) -> String? {
        if let minimum, number < minimum { return "must be at least \(minimum.plain), not \(number.plain)" }
        if let maximum, number > maximum { return "must be at most \(maximum.plain), not \(number.plain)" }
        return nil
    }
}

extension JSONNode.Content {
    fileprivate var type: JSONSchema.ValueType {
        switch self {
        case .null: .null
        case .bool: .boolean
        case .integer: .integer
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// JSON Schema's integer is any number without a fraction.
    fileprivate func isOf(_ wanted: JSONSchema.ValueType) -> Bool {
        switch (self, wanted) {
        case (.integer, .number): true
        case (.number(let number), .integer): number.rounded() == number
        default: type == wanted
        }
    }
}

extension JSONSchema.ValueType {
    fileprivate var withArticle: String {
        switch self {
        case .object, .array, .integer: "an \(rawValue)"
        case .string, .number, .boolean: "a \(rawValue)"
        case .null: rawValue
        }
    }
}

extension Double {
    /// `5` for 5.0.
    fileprivate var plain: String { Int64(exactly: self).map { "\($0)" } ?? "\(self)" }
}

extension JSONValue {
    fileprivate var string: String? { if case .string(let string) = self { string } else { nil } }

    /// As JSON writes it, arrays and objects by what they are.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .string(let string): "\"\(string)\""
        case .array: "an array"
        case .object: "an object"
        }
    }
}
