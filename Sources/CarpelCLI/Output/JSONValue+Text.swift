import CarpelCore
import Foundation

extension JSONValue {
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
    var line: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
