import Foundation

extension ProtoMessage {
    /// The paths of the members of `json` that this message does not have, such as `config.linux.colour`.
    ///
    /// - Parameter json: what `JSONSerialization` makes of the message's text.
    public static func unknownFields(in json: Any) -> [String] {
        unknownPaths(in: json, of: schema, at: "")
    }
}

private func unknownPaths(in json: Any, of schema: ProtoSchema, at path: String) -> [String] {
    switch schema {
    case .message(let type):
        guard let members = json as? [String: Any] else { return [] }
        let fields = Dictionary(type.fields.map { ($0.name, $0.schema) }, uniquingKeysWith: { first, _ in first })
        return members.sorted { $0.key < $1.key }.flatMap { name, value in
            let memberPath = path.isEmpty ? name : "\(path).\(name)"
            guard let field = fields[name] else { return [memberPath] }
            return unknownPaths(in: value, of: field, at: memberPath)
        }
    case .list(let element):
        guard let items = json as? [Any] else { return [] }
        return items.enumerated().flatMap { unknownPaths(in: $1, of: element, at: "\(path)[\($0)]") }
    default:
        return []
    }
}
