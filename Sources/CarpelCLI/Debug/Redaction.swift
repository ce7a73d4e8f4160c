import CarpelCore
import Foundation

/// Takes secrets out of what leaves the node, by the names that they have.
enum Redaction {
    static let removed = "[removed]"

    /// `password`, `DB_PASS`, `apiKey`, `auth` and the like.
    static func isSecret(_ name: String) -> Bool {
        let plain = name.lowercased().filter { $0.isLetter || $0.isNumber }
        return secretParts.contains(where: plain.contains) || secretEnds.contains(where: plain.hasSuffix)
    }

    private static let secretParts = [
        "password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "accesskey", "privatekey",
        "signingkey", "encryptionkey", "authorization", "cookie", "bearer", "dockerconfig",
    ]
    private static let secretEnds = ["auth", "pass", "pwd", "key", "keys", "salt", "pin", "psk"]

    /// The value without the secrets in it, whatever it is.
    static func redacted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(redacted(text))
        case .array(let elements): .array(redacted(elements))
        case .object(let members): .object(redacted(members))
        default: value
        }
    }

    private static func redacted(_ members: [String: JSONValue]) -> [String: JSONValue] {
        // CRI's environment variables: the name is a value.
        if case .string(let name)? = members["key"], members["value"] != nil, members.count == 2 {
            return isSecret(name) ? ["key": .string(name), "value": .string(removed)] : members
        }
        return members.reduce(into: [:]) { result, member in
            let isNamedSecret = isSecret(member.key) && member.value.holdsText
            result[member.key] = isNamedSecret ? .string(removed) : redacted(member.value)
        }
    }

    /// A command's words: what follows `--password` is one too.
    private static func redacted(_ elements: [JSONValue]) -> [JSONValue] {
        var followsSecretOption = false
        return elements.map { element in
            guard case .string(let word) = element else {
                followsSecretOption = false
                return redacted(element)
            }
            defer { followsSecretOption = word.hasPrefix("-") && !word.contains("=") && isSecret(word) }
            return followsSecretOption ? .string(removed) : .string(redacted(word))
        }
    }

    /// A text without the secrets in it: JSON's, a log's or a command line's.
    static func redacted(_ text: String) -> String {
        if let inner = try? JSONValue(text: text), inner.isComposite {
            return (try? JSONEncoder().encode(redacted(inner))).map { String(decoding: $0, as: UTF8.self) } ?? removed
        }
        return redactedAssignments(
            text.replacing(bearer) { "\($0.output.1) \(removed)" }
                .replacing(userOfURL) { "\($0.output.1)\(removed)@" })
    }

    private static func redactedAssignments(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let match = rest.firstMatch(of: name) {
            result += rest[..<match.range.upperBound]
            rest = rest[match.range.upperBound...]
            guard isSecret(String(match.output.1)), let secret = rest.prefixMatch(of: secretValue) else { continue }
            result += removed
            rest = rest[secret.range.upperBound...]
        }
        return result + rest
    }

    // `Regex` is not Sendable: these are made where they are needed.
    /// `NAME=`, `name: `, `--name=`, `"name": `: what stands in front of a value.
    private static var name: Regex<(Substring, Substring)> { /([A-Za-z0-9_.\-]+)["']?\s*[=:]\s*/ }
    private static var secretValue: Regex<Substring> { /"[^"\n]*"|'[^'\n]*'|[^\s,;&"'}\]]+/ }
    private static var userOfURL: Regex<(Substring, Substring)> { /([a-z][a-z0-9+.\-]*:\/\/)[^\/\s@]+@/ }
    private static var bearer: Regex<(Substring, Substring)> { /([Bb]earer|[Bb]asic)\s+[A-Za-z0-9._~+\/=\-]{8,}/ }
}

extension JSONValue {
    fileprivate var isComposite: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    /// A secret that is a number or a word; a list or an object of that name is looked into.
    fileprivate var holdsText: Bool {
        switch self {
        case .string, .integer, .number, .array: true
        case .null, .bool, .object: false
        }
    }
}
