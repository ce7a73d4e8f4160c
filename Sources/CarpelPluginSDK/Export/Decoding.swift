import FoundationEssentials

/// Decodes a JSON object, and says which of its members is at fault.
///
/// - Throws: ``PluginError`` with `.invalidArgument` and `reason`.
func decodeMember<Value: Decodable>(
    _ type: Value.Type, from json: Data, named name: String, reason: String
) throws -> Value {
    do {
        return try JSONDecoder().decode(type, from: json)
    } catch let error as DecodingError {
        throw PluginError(.invalidArgument, reason, error.account(of: name))
    }
}

extension DecodingError {
    /// The member and what is wrong with it: `request.portMappings[0].hostPort: expected an integer, found a string`.
    fileprivate func account(of name: String) -> String {
        switch self {
        case .keyNotFound(let key, let context): "\(path(name, context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(path(name, context.codingPath)) must not be null"
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            "\(path(name, context.codingPath)): \(context.debugDescription)"
        @unknown default: "\(name): \(self)"
        }
    }

    private func path(_ name: String, _ keys: [any CodingKey]) -> String {
        keys.reduce(name) { path, key in key.intValue.map { "\(path)[\($0)]" } ?? "\(path).\(key.stringValue)" }
    }
}
