import CarpelCore
import CarpelSeccomp
import Foundation

/// The plugin.json of a plugin.
public struct PluginManifest: Sendable {
    public static let fileName = "plugin.json"

    public let name: String
    public let kind: PluginKind
    /// The plugin's own, such as `1.0.0`.
    public let version: String
    public let description: String
    /// The versions of carpel_plugin.h that the library can serve.
    public let api: ClosedRange<Int>
    /// The library's path.
    public let library: String
    /// `CAP_NET_ADMIN`
    public let capabilities: [String]
    /// `network`, `storage`, `strict`, or the path of a file.
    public let seccomp: String
    /// The file's text.
    public let text: String
    /// nil if the plugin has nothing to configure.
    let configurationSchema: JSONSchema?

    /// The versions of carpel_plugin.h that this daemon's hosts can serve.
    public static let hostAPI = 1...1

    /// Reads the manifest of the plugin in a folder.
    ///
    /// - Throws: `CarpelError`: `.notFound`/`manifestMissing`; `.failedPrecondition`/`manifestUnreadable`;
    ///   `.invalidArgument`/`manifestInvalid`, whose message names the lines and members at fault;
    ///   `.failedPrecondition`/`apiIncompatible`.
    public init(folder: String) throws {
        let path = "\(folder)/\(Self.fileName)"
        try self.init(text: try Self.read(path), folder: folder, path: path)
    }

    init(text: [UInt8], folder: String, path: String) throws {
        let document: JSONNode
        do {
            document = try JSONNode(text: text)
        } catch let error as JSONSyntaxError {
            throw CarpelError(
                .invalidArgument, "manifestInvalid",
                "\(path): line \(error.line), column \(error.column): \(error.problem)")
        }
        var problems = try JSONSchema(JSONNode(text: Array(Self.schema.utf8))).problems(of: document)
        if problems.isEmpty { problems = Self.problems(of: document) }
        if let error = problems.error(reason: "manifestInvalid", in: path, whole: "the manifest") { throw error }
        try self.init(valid: document, text: String(decoding: text, as: UTF8.self), folder: folder, path: path)
    }

    private init(valid document: JSONNode, text: String, folder: String, path: String) throws {
        // The schema has seen to it that what is asked for is there.
        let values = try JSONDecoder().decode(Values.self, from: JSONEncoder().encode(document.value))
        name = values.name
        kind = values.kind
        version = values.version
        description = values.description ?? ""
        api = values.api.minimum...values.api.maximum
        library = "\(folder)/\(values.library)"
        capabilities = values.capabilities ?? []
        let seccomp = values.seccomp ?? values.kind.rawValue
        self.seccomp =
            PluginSeccomp(rawValue: seccomp) != nil || seccomp.hasPrefix("/") ? seccomp : "\(folder)/\(seccomp)"
        self.text = text
        configurationSchema = try document["configurationSchema"].map { try JSONSchema($0) }
        guard api.overlaps(Self.hostAPI) else {
            throw CarpelError(
                .failedPrecondition, "apiIncompatible",
                "\(path): the plugin is for version \(api.text) of the plugin interface, and this node has "
                    + "\(Self.hostAPI.text): install a version of the plugin, or of Carpel, that fits", field: "api")
        }
    }

    private struct Values: Decodable {
        struct API: Decodable {
            var minimum: Int
            var maximum: Int
        }

        var name: String
        var kind: PluginKind
        var version: String
        var description: String?
        var api: API
        var library: String
        var capabilities: [String]?
        var seccomp: String?
    }

    /// What a schema cannot say.
    private static func problems(of document: JSONNode) -> [JSONProblem] {
        apiProblems(document) + libraryProblems(document) + capabilityProblems(document) + schemaProblems(document)
    }

    private static func apiProblems(_ document: JSONNode) -> [JSONProblem] {
        guard let least = document["api"]?["minimum"], let most = document["api"]?["maximum"],
            let lower = least.number, let upper = most.number, lower > upper
        else { return [] }
        return [JSONProblem(path: "api.maximum", line: most.line, text: "must not be less than api.minimum")]
    }

    private static func libraryProblems(_ document: JSONNode) -> [JSONProblem] {
        guard let node = document["library"], let library = node.string else { return [] }
        guard library.hasPrefix("/") || library.split(separator: "/").contains("..") else { return [] }
        return [JSONProblem(path: "library", line: node.line, text: "must be a path within the plugin's folder")]
    }

    private static func capabilityProblems(_ document: JSONNode) -> [JSONProblem] {
        (document["capabilities"]?.elements ?? []).enumerated().compactMap { index, node in
            guard let name = node.string, !capabilityNames.contains(name) else { return nil }
            let hint = suggestionText(for: name.hasPrefix("CAP_") ? name : "CAP_\(name)", among: capabilityNames)
            return JSONProblem(
                path: "capabilities[\(index)]", line: node.line, text: "is no capability: \"\(name)\"\(hint)")
        }
    }

    private static let capabilityNames = CapabilitySet.names.map { "CAP_\($0)" }

    private static func schemaProblems(_ document: JSONNode) -> [JSONProblem] {
        guard let node = document["configurationSchema"] else { return [] }
        do {
            _ = try JSONSchema(node, at: "configurationSchema")
            return []
        } catch {
            return error.problems
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let largest = 1 << 20
        guard let file = FileHandle(forReadingAtPath: path) else {
            let missing = errno == ENOENT || errno == ENOTDIR
            throw CarpelError(
                missing ? .notFound : .failedPrecondition, missing ? "manifestMissing" : "manifestUnreadable",
                "\(path): \(String(cString: strerror(errno)))")
        }
        defer { try? file.close() }
        do {
            let bytes = Array(try file.read(upToCount: largest + 1) ?? Data())
            guard bytes.count <= largest else {
                throw CarpelError(.failedPrecondition, "manifestUnreadable", "\(path) is larger than 1 MiB")
            }
            return bytes
        } catch let error as CarpelError {
            throw error
        } catch {
            throw CarpelError(.failedPrecondition, "manifestUnreadable", "\(path): \(error)")
        }
    }
}

extension PluginManifest {
    /// - Throws: `CarpelError` with `.invalidArgument`/`pluginConfigurationInvalid`; its message and field name the members.
    func check(_ configuration: JSONValue) throws {
        let place = "the configuration of the plugin \(name)"
        guard let configurationSchema else {
            guard case .object(let members) = configuration, members.isEmpty else {
                throw CarpelError(
                    .invalidArgument, "pluginConfigurationInvalid",
                    "\(place): the plugin has nothing to configure; leave it out")
            }
            return
        }
        let problems = configurationSchema.problems(of: JSONNode(configuration))
        if let error = problems.error(reason: "pluginConfigurationInvalid", in: place, whole: "it") { throw error }
    }
}

extension ClosedRange<Int> {
    /// `1` or `1 to 3`
    fileprivate var text: String { lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound) to \(upperBound)" }
}
