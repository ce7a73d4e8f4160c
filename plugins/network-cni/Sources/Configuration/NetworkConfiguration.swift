import CarpelCore
import CarpelPluginSDK

/// A network as CNI describes it: a chain of plugins with their configurations.
///
/// Source: CNI specification 1.1.0, section 1.
struct NetworkConfiguration: Sendable, Equatable {
    /// What the chain's plugins know the network by.
    let name: String
    /// What the configuration may be used with; never empty.
    let versions: Set<CNIVersion>
    let disableCheck: Bool
    let disableGarbageCollection: Bool
    /// Never empty.
    let plugins: [Plugin]
    /// Where it comes from, for messages.
    let source: String
    /// As it was read.
    let text: JSONValue

    struct Plugin: Sendable, Equatable {
        /// The name of its executable.
        let type: String
        /// What it can be told when it runs: `portMappings` and so on.
        let capabilities: Set<String>
        /// The executable of the address management that it delegates to.
        let addressManagement: String?
        let members: [String: JSONValue]
    }

    /// - Parameter text: a conflist, or the configuration of one plugin.
    /// - Throws: `PluginError` that names the source and the member.
    init(_ text: JSONValue, source: String) throws {
        guard case .object(let members) = text else { throw Self.invalid(source, "must be an object") }
        guard case .string(let name)? = members["name"] else { throw Self.invalid(source, "name is missing") }
        guard Self.isIdentifier(name) else {
            throw Self.invalid(
                source, "name: \"\(name)\" must begin with a letter or digit and go on with those, '_', '.' and '-'")
        }
        self.name = name
        self.source = source
        self.text = text
        versions = try Self.versions(members, source)
        disableCheck = try Self.flag("disableCheck", members, source)
        disableGarbageCollection = try Self.flag("disableGC", members, source)
        switch members["plugins"] {
        case nil where members["type"] != nil: plugins = [try Self.plugin(members, "", source)]
        case nil: throw Self.invalid(source, "plugins is missing")
        case .array(let list)? where !list.isEmpty:
            plugins = try list.enumerated().map { index, plugin in
                guard case .object(let members) = plugin else {
                    throw Self.invalid(source, "plugins[\(index)] must be an object")
                }
                return try Self.plugin(members, "plugins[\(index)].", source)
            }
        default: throw Self.invalid(source, "plugins must be a list of at least one plugin")
        }
    }

    private static func plugin(_ members: [String: JSONValue], _ path: String, _ source: String) throws -> Plugin {
        guard case .string(let type)? = members["type"] else { throw invalid(source, "\(path)type is missing") }
        try requireExecutable(type, "\(path)type", source)
        var capabilities: Set<String> = []
        switch members["capabilities"] {
        case nil, .null?: break
        case .object(let declared)?: capabilities = Set(declared.filter { $0.value == .bool(true) }.keys)
        default: throw invalid(source, "\(path)capabilities must be an object of booleans")
        }
        var addressManagement: String?
        if case .object(let management)? = members["ipam"], case .string(let type)? = management["type"], !type.isEmpty
        {
            try requireExecutable(type, "\(path)ipam.type", source)
            addressManagement = type
        }
        return Plugin(
            type: type, capabilities: capabilities, addressManagement: addressManagement, members: members)
    }

    // The type becomes a file's name in the folders of the binaries, and must not lead out of them.
    private static func requireExecutable(_ type: String, _ path: String, _ source: String) throws {
        guard !type.isEmpty, !type.contains("/"), type != ".", type != ".." else {
            throw invalid(source, "\(path): \"\(type)\" is not the name of an executable")
        }
    }

    private static func versions(_ members: [String: JSONValue], _ source: String) throws -> Set<CNIVersion> {
        var texts: [String] = []
        switch members["cniVersion"] {
        case nil, .null?: break
        case .string(let text)?: texts.append(text)
        default: throw invalid(source, "cniVersion must be a string such as \"1.0.0\"")
        }
        switch members["cniVersions"] {
        case nil, .null?: break
        case .array(let list)?:
            for entry in list {
                guard case .string(let text) = entry else { throw invalid(source, "cniVersions must be strings") }
                texts.append(text)
            }
        default: throw invalid(source, "cniVersions must be a list of strings")
        }
        guard !texts.isEmpty else { throw invalid(source, "cniVersion is missing") }
        return Set(
            try texts.map { text in
                guard let version = CNIVersion(text) else {
                    throw invalid(source, "cniVersion: \"\(text)\" is no version")
                }
                return version
            })
    }

    // Written as a string by some.
    private static func flag(_ name: String, _ members: [String: JSONValue], _ source: String) throws -> Bool {
        switch members[name] {
        case nil, .null?: false
        case .bool(let flag)?: flag
        case .string(let text)? where text == "true" || text == "false": text == "true"
        default: throw invalid(source, "\(name) must be true or false")
        }
    }

    private static let marks = Set("_.-".utf8)

    /// Whether CNI takes a text for a network's name.
    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isLetterOrDigit else { return false }
        return text.utf8.allSatisfy { $0.isLetterOrDigit || marks.contains($0) }
    }

    private static func invalid(_ source: String, _ message: String) -> PluginError {
        PluginError(.failedPrecondition, "networkConfigurationInvalid", "\(source): \(message)")
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
