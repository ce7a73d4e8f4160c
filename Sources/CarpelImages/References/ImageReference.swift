import CarpelCore

/// The name of an image in a registry, normalised the way Docker does: `busybox` is
/// `docker.io/library/busybox:latest`.
///
/// Source: the grammar of `reference` in the distribution project, and OCI distribution spec, "Pulling manifests".
public struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    /// Host and, if given, port: `docker.io`, `localhost:5000`, `[::1]:5000`.
    public let registry: String
    /// Path below the registry: `library/busybox`.
    public let repository: String
    /// Set if written, or `latest` if neither tag nor digest was.
    public let tag: String?
    public let digest: Digest?

    /// `registry/repository`.
    public var name: String { "\(registry)/\(repository)" }

    /// The canonical name, under which an image is stored. A digest says more than a tag, which is then left out.
    public var description: String {
        if let digest { return "\(name)@\(digest)" }
        return "\(name):\(tag ?? Self.defaultTag)"
    }

    static let defaultTag = "latest"

    /// - Throws: `.invalidArgument`/`invalidReference` with what is wrong and what would be right.
    public init(_ text: String) throws {
        func invalid(_ why: String) -> CarpelError {
            CarpelError(.invalidArgument, "invalidReference", "\"\(text)\" is not an image reference: \(why)")
        }
        guard !text.isEmpty else { throw invalid("it is empty; write for example busybox:1.36") }
        guard !text.contains("://") else { throw invalid("write it without \(text.prefix { $0 != "/" })//") }

        var rest = Substring(text)
        if let at = rest.firstIndex(of: "@") {
            digest = try Digest(rest[rest.index(after: at)...])
            rest = rest[..<at]
        } else {
            digest = nil
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/"), !rest[colon...].contains("]") {
            let tag = rest[rest.index(after: colon)...]
            guard Self.isTag(tag) else {
                throw invalid("the tag \"\(tag)\" must be 1 to 128 letters, digits, '_', '.' or '-'")
            }
            self.tag = String(tag)
            rest = rest[..<colon]
        } else {
            tag = digest == nil ? Self.defaultTag : nil
        }

        let (host, path) = Self.splitRegistry(rest)
        guard Self.isRegistry(host) else { throw invalid("\"\(host)\" is not a registry's host[:port]") }
        let repository = host == "docker.io" && !path.contains("/") ? "library/\(path)" : path
        guard repository.utf8.count + host.utf8.count < 255 else {
            throw invalid("the name has more than 255 characters")
        }
        for component in path.split(separator: "/", omittingEmptySubsequences: false)
        where !Self.isPathComponent(component) {
            let hint = component.utf8.contains(where: \.isUppercase) ? "; repository names are lowercase" : ""
            throw invalid("\"\(component)\" is no part of a repository name\(hint)")
        }
        guard Digest(hex: path) == nil else { throw invalid("64 hex digits alone are an image ID, not a name") }
        registry = host
        self.repository = repository
    }

    /// Whether `text` is a registry as it stands in a reference.
    static func isRegistry(_ text: String) -> Bool {
        var host = Substring(text)
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let address = host[host.index(after: host.startIndex)..<end]
            let rest = host[host.index(after: end)...]
            return !address.isEmpty && address.utf8.allSatisfy { $0.isHexDigit || $0 == UInt8(ascii: ":") }
                && (rest.isEmpty || rest.first == ":" && isPort(rest.dropFirst()))
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            label.first != "-" && label.last != "-" && !label.isEmpty
                && label.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
        }
    }

    /// The first component is a registry if it could not be part of a Docker Hub name.
    private static func splitRegistry(_ text: Substring) -> (registry: String, path: String) {
        guard let slash = text.firstIndex(of: "/") else { return ("docker.io", String(text)) }
        let first = text[..<slash]
        guard
            first == "localhost" || first.contains(".") || first.contains(":")
                || first.utf8.contains(where: \.isUppercase)
        else { return ("docker.io", String(text)) }
        let host = first == "index.docker.io" ? "docker.io" : String(first)
        return (host, String(text[text.index(after: slash)...]))
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.allSatisfy(\.isDigit) && (UInt16(text) ?? 0) > 0
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return (first.isAlphanumeric || first == UInt8(ascii: "_"))
            && text.utf8.allSatisfy { $0.isAlphanumeric || "_.-".utf8.contains($0) }
    }

    /// Lowercase letters and digits, separated by one `.`, one or two `_`, or any number of `-`.
    private static func isPathComponent(_ text: Substring) -> Bool {
        let words = text.utf8.split(omittingEmptySubsequences: false) { "._-".utf8.contains($0) }
        guard words.first?.isEmpty == false, words.last?.isEmpty == false,
            text.utf8.allSatisfy({ $0.isDigit || $0.isLowercase || "._-".utf8.contains($0) })
        else { return false }
        let separators = text.utf8.split { $0.isDigit || $0.isLowercase }
        return separators.allSatisfy { separator in
            separator.allSatisfy { $0 == UInt8(ascii: "-") } || separator.elementsEqual(".".utf8)
                || separator.elementsEqual("_".utf8) || separator.elementsEqual("__".utf8)
        }
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool { isDigit || isLowercase || isUppercase }
    fileprivate var isHexDigit: Bool { isLowercaseHexDigit || (self >= 0x41 && self <= 0x46) }
}
