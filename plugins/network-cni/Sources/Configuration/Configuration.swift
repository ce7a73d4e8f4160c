import CarpelCore
import CarpelPluginSDK
import Foundation

/// The plugin's part of the daemon's configuration.
struct Configuration: Sendable {
    /// Where the networks' files are, as CRI runtimes look for them.
    var configurationFolder = "/etc/cni/net.d"
    /// Where the CNI plugins are, the first that has one counts.
    var binaryFolders = ["/opt/cni/bin", "/usr/lib/cni"]
    /// Networks that are given here, as conflists; they come before those in files.
    var networks: [JSONValue] = []
    /// How long one CNI plugin may take for one verb.
    var pluginTimeoutSeconds = 60
    /// What plugins that declare the capability `dns` are told: CNI's `dns` object.
    var dns: JSONValue?

    /// - Parameter text: a JSON object.
    /// - Throws: `PluginError` that names the member.
    init(text: [UInt8]) throws {
        do {
            self = try JSONDecoder().decode(Configuration.self, from: Data(text))
        } catch let error as DecodingError {
            throw PluginError(.invalidArgument, "configurationInvalid", "configuration: \(error.account)")
        }
        guard pluginTimeoutSeconds > 0 else { throw Self.invalid("pluginTimeoutSeconds must be at least 1") }
        guard !binaryFolders.isEmpty else { throw Self.invalid("binaryFolders names no folder") }
        for folder in binaryFolders + [configurationFolder] where !folder.hasPrefix("/") || folder.contains(":") {
            throw Self.invalid("\(folder) is not an absolute path without colons")
        }
        for index in networks.indices { _ = try NetworkConfiguration(networks[index], source: Self.source(of: index)) }
    }

    static func source(of index: Int) -> String { "networks[\(index)] of the plugin's configuration" }

    private static func invalid(_ message: String) -> PluginError {
        PluginError(.invalidArgument, "configurationInvalid", "configuration: \(message)")
    }
}

extension Configuration: Decodable {
    private enum CodingKeys: String, CodingKey {
        case configurationFolder, binaryFolders, networks, pluginTimeoutSeconds, dns
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        if let folder = try members.decodeIfPresent(String.self, forKey: .configurationFolder) {
            configurationFolder = folder
        }
        if let folders = try members.decodeIfPresent([String].self, forKey: .binaryFolders) { binaryFolders = folders }
        if let given = try members.decodeIfPresent([JSONValue].self, forKey: .networks) { networks = given }
        if let seconds = try members.decodeIfPresent(Int.self, forKey: .pluginTimeoutSeconds) {
            pluginTimeoutSeconds = seconds
        }
        dns = try members.decodeIfPresent(JSONValue.self, forKey: .dns)
    }
}

extension DecodingError {
    /// The member, and what is wrong with it.
    var account: String {
        switch self {
        case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(path(context.codingPath)) must not be null"
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? context.debugDescription : "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default: "\(self)"
        }
    }

    private func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            key.intValue.map { "\(path)[\($0)]" } ?? (path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)")
        }
    }
}
