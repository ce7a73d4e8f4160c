/// What a registry asks for in `WWW-Authenticate`.
///
/// Source: RFC 9110, 11.6.1, and the distribution project's "Token Authentication Specification".
struct AuthChallenge: Equatable, Sendable {
    /// In lower case: `bearer`, `basic`.
    let scheme: String
    /// Names in lower case.
    let parameters: [String: String]

    /// The challenges of all header lines; what cannot be read is left out.
    static func parse(_ headers: [String]) -> [AuthChallenge] {
        headers.flatMap { header in
            var scanner = Scanner(rest: header[...])
            return scanner.challenges()
        }
    }

    private struct Scanner {
        var rest: Substring

        mutating func challenges() -> [AuthChallenge] {
            var challenges: [AuthChallenge] = []
            while let scheme = token() {
                var parameters: [String: String] = [:]
                while let (name, value) = parameter() { parameters[name] = value }
                challenges.append(AuthChallenge(scheme: scheme.lowercased(), parameters: parameters))
                skipSeparators()
            }
            return challenges
        }

        /// `name=value`, if one comes next; else nothing is taken, and it is the next challenge's scheme.
        private mutating func parameter() -> (String, String)? {
            let start = rest
            skipSeparators()
            guard let name = token() else { return nil }
            skipSpace()
            guard rest.first == "=" else {
                rest = start
                return nil
            }
            rest.removeFirst()
            skipSpace()
            guard let value = rest.first == "\"" ? quoted() : token() else { return nil }
            return (name.lowercased(), value)
        }

        private mutating func token() -> String? {
            skipSpace()
            let token = rest.prefix { $0.isLetter || $0.isNumber || "!#$%&'*+-.^_`|~:/".contains($0) }
            rest = rest.dropFirst(token.count)
            return token.isEmpty ? nil : String(token)
        }

        private mutating func quoted() -> String? {
            rest.removeFirst()
            var text = ""
            while let character = rest.popFirst() {
                switch character {
                case "\"": return text
                case "\\": if let escaped = rest.popFirst() { text.append(escaped) }
                default: text.append(character)
                }
            }
            return nil
        }

        private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\t" } }
        private mutating func skipSeparators() { rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," } }
    }
}
