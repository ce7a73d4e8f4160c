import CarpelCore

/// Where plugins are found, and how their hosts run.
public struct PluginHosting: Sendable {
    /// Each holds a folder for each plugin. Of two plugins with one name that in the earlier folder serves.
    public var folders: [String]
    /// The path of `carpel-plugin-host`.
    public var hostExecutable: String
    /// Whom hosts run as: a system user that is a member of nothing. nil: as the calling user, who must not be root;
    /// plugins then have no capabilities.
    public var account: String?
    /// The group that QEMU runs in, which hosts join.
    public var machineGroup: UInt32
    /// Holds a state folder for each plugin, which outlives everything.
    public var stateRoot: String
    /// What each plugin is configured with, by the plugin's name.
    public var configurations: [String: JSONValue]
    public var limits: PluginLimits
    /// Called whenever a plugin's state may be another.
    public var changed: @Sendable () -> Void = {}

    public init(
        folders: [String], hostExecutable: String, account: String? = "carpel-plugin", machineGroup: UInt32,
        stateRoot: String, configurations: [String: JSONValue] = [:], limits: PluginLimits = PluginLimits()
    ) {
        self.folders = folders
        self.hostExecutable = hostExecutable
        self.account = account
        self.machineGroup = machineGroup
        self.stateRoot = stateRoot
        self.configurations = configurations
        self.limits = limits
    }
}

/// What a plugin may take.
public struct PluginLimits: Sendable {
    /// Of the host and everything that it starts.
    public var memory = ByteCount.mebibytes(256)
    /// Processes and threads.
    public var processes = 256
    /// From the start of the host to a plugin that is ready.
    public var start: Duration = .seconds(30)
    /// For a verb that copies no data.
    public var call: Duration = .seconds(30)
    /// For a verb that copies a volume's content.
    public var copy: Duration = .seconds(3600)
    /// For a plugin to end a call that is cancelled or past its deadline; then its host is killed.
    public var grace: Duration = .seconds(5)
    /// Before the second restart in a row; the first is at once. Doubled with each, up to `mostBackoff`.
    public var backoff: Duration = .milliseconds(250)
    public var mostBackoff: Duration = .seconds(60)
    /// A host that has lived this long starts the backoff anew.
    public var backoffReset: Duration = .seconds(60)

    public init() {}
}
