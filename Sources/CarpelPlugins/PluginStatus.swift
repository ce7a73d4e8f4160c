import CarpelCore

public enum PluginKind: String, Codable, Sendable, CaseIterable {
    case network, storage
}

/// A plugin as it is at the moment, whether it works or not.
public struct PluginStatus: Sendable {
    public enum State: Sendable, Equatable {
        /// Found, and not started yet.
        case discovered
        case starting
        case ready
        /// Its host has died and is started again at the time, in nanoseconds since 1970.
        case backingOff(until: Int64, cause: CarpelError)
        /// It cannot serve, until it is reloaded.
        case failed(cause: CarpelError)
        /// The daemon is closing.
        case draining
    }

    /// A version that still serves pods beside the one that took its place.
    public struct OldGeneration: Sendable, Equatable {
        public var version: String
        public var processID: Int32?
        /// Attachments and publications that it made and that are still there.
        public var users: Int
        public var callsInFlight: Int
    }

    /// Of the manifest; of the folder where the manifest cannot be read.
    public var name: String
    /// The plugin's folder.
    public var path: String
    public var state: State
    public var kind: PluginKind?
    public var version: String?
    public var description: String?
    /// The ABI that plugin and host have agreed on, once the plugin is loaded.
    public var apiVersion: Int?
    /// What the host was left with, such as `CAP_NET_ADMIN`.
    public var capabilities: [String] = []
    /// The name of the syscall profile, or its file.
    public var seccomp: String?
    /// Of the host, while there is one.
    public var processID: Int32?
    /// How long the host took to start, the plugin's own initialisation included.
    public var startDuration: Duration?
    /// How often the host was started again after its death.
    public var restarts = 0
    /// Calls that were answered since the daemon started.
    public var calls: UInt64 = 0
    /// What the host's process has in memory.
    public var residentMemory: ByteCount?
    /// Which of the limits are not in force on this node, and why.
    public var limitsMissing: [String] = []
    public var oldGenerations: [OldGeneration] = []
    /// The text of plugin.json.
    public var manifest: String?
    /// What the plugin is configured with.
    public var configuration: JSONValue?

    public init(name: String, path: String, state: State) {
        self.name = name
        self.path = path
        self.state = state
    }
}
