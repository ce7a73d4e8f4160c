import FoundationEssentials

/// What a plugin knows of its place.
public struct PluginEnvironment: Sendable {
    /// The name in the manifest.
    public let name: String
    /// A folder of the plugin's own that outlives the process.
    public let stateFolder: String
    /// The plugin's part of the daemon's configuration: a JSON object.
    public let configuration: [UInt8]
    /// The group that QEMU runs in: who must open a tap device or a disk.
    public let machineGroup: UInt32

    public init(name: String, stateFolder: String, configuration: [UInt8] = Array("{}".utf8), machineGroup: UInt32) {
        self.name = name
        self.stateFolder = stateFolder
        self.configuration = configuration
        self.machineGroup = machineGroup
    }

    /// The configuration as a type of the plugin's.
    ///
    /// - Throws: ``PluginError`` with `.invalidArgument` and `configurationInvalid`; its message names the member at
    ///   fault, such as `configuration.ranges[0].subnet`.
    public func configuration<Configuration: Decodable>(as type: Configuration.Type) throws -> Configuration {
        try decodeMember(type, from: Data(configuration), named: "configuration", reason: "configurationInvalid")
    }
}
