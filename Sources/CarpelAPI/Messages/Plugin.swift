// Carpel's own messages about plugins.

/// A plugin as the daemon knows it.
public struct PluginInfo: ProtoMessage {
    public enum Kind: String, ProtoEnum {
        case UNKNOWN, NETWORK, STORAGE
    }
    public enum State: String, ProtoEnum {
        /// It could not be loaded; `message` says why.
        case FAILED
        case STARTING, READY
        /// Its process has died and will be started again.
        case BACKING_OFF
    }
    /// Of the manifest; of the folder where there is no manifest that can be read.
    @Field public var name: String
    @Field public var kind: Kind
    @Field public var version: String
    @Field public var description: String
    /// The plugin's folder.
    @Field public var path: String
    @Field public var state: State
    /// A stable word for what went wrong.
    @Field public var reason: String
    @Field public var message: String
    /// Of its host, while there is one.
    @Field public var processId: Int32
    /// What the host was left with, such as `CAP_NET_ADMIN`.
    @Field public var capabilities: [String]
    @Field public var seccompProfile: String
    /// How often the host has been started again after its death.
    @Field public var restarts: UInt32
    /// Older versions that still serve pods.
    @Field public var drainingVersions: [String]
    /// Calls answered since the host started.
    @Field public var calls: UInt64
    /// Of the host's process.
    @Field public var residentBytes: Int64
    /// How long the host took to start.
    @Field public var startNanoseconds: Int64
    public init() {}
}

public struct ListPluginsRequest: ProtoMessage {
    public init() {}
}

public struct ListPluginsResponse: ProtoMessage {
    /// In the order of their discovery. A name that stands twice has one that serves and others that say why they do not.
    @Field public var plugins: [PluginInfo]
    public init() {}
}

public struct PluginStatusRequest: ProtoMessage {
    @Field public var name: String
    public init() {}
}

public struct PluginStatusResponse: ProtoMessage {
    @Field public var plugin: PluginInfo?
    /// JSON texts by name: `manifest` and `configuration`.
    @Field public var info: [String: String]
    public init() {}
}

/// Starts the plugin's library and manifest as they are on disk now. The version before serves on for its pods;
/// it also serves everything else if the new one does not load.
public struct ReloadPluginRequest: ProtoMessage {
    @Field public var name: String
    public init() {}
}

public struct ReloadPluginResponse: ProtoMessage {
    @Field public var plugin: PluginInfo?
    public init() {}
}
