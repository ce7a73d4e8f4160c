import CarpelCore

/// Where plugins are found and how they are run.
public struct PluginsConfiguration: Codable, Sendable {
    /// Each holds a folder for each plugin. Of two plugins with one name that in the earlier folder serves.
    public var folders = ["/etc/carpel/plugins", "/usr/lib/carpel/plugins"]
    /// The program that runs a plugin; empty: `carpel-plugin-host` beside carpeld.
    public var host = ""
    /// Who plugins run as.
    public var user = "carpel-plugin"
    /// What each plugin's process may use.
    public var memoryLimit = ByteCount.mebibytes(256)
    public var processLimit = 256
    /// Seconds until a verb that does not copy data is given up.
    public var callTimeoutSeconds = 30
    /// Seconds until a verb that copies a volume's content is given up.
    public var copyTimeoutSeconds = 3600
    /// What each plugin is configured with, by its name, as its manifest's schema says.
    public var configurations: [String: JSONValue] = [:]

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case folders, host, user, memoryLimit, processLimit, callTimeoutSeconds, copyTimeoutSeconds, configurations
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        folders = try values.decodeIfPresent([String].self, forKey: .folders) ?? folders
        host = try values.decodeIfPresent(String.self, forKey: .host) ?? host
        user = try values.decodeIfPresent(String.self, forKey: .user) ?? user
        memoryLimit = try values.decodeIfPresent(ByteCount.self, forKey: .memoryLimit) ?? memoryLimit
        processLimit = try values.decodeIfPresent(Int.self, forKey: .processLimit) ?? processLimit
        callTimeoutSeconds = try values.decodeIfPresent(Int.self, forKey: .callTimeoutSeconds) ?? callTimeoutSeconds
        copyTimeoutSeconds = try values.decodeIfPresent(Int.self, forKey: .copyTimeoutSeconds) ?? copyTimeoutSeconds
        configurations = try values.decodeIfPresent([String: JSONValue].self, forKey: .configurations) ?? configurations
    }
}
