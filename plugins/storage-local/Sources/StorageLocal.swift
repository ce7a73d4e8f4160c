import CarpelPluginSDK

/// Volumes as files of this node: the default storage plugin.
///
/// Each verb has a file in Verbs. What a verb promises after a crash is written down in the plugin's README.
public final class StorageLocal: StoragePlugin {
    let configuration: PoolConfiguration
    let pool: Pool

    /// - Throws: ``PluginError`` if the configuration is malformed, or the pool cannot be used or read.
    public init(environment: PluginEnvironment) async throws {
        configuration = try PoolConfiguration(json: environment.configuration)
        pool = Pool(
            folders: PoolFolders(
                pool: configuration.pool ?? "\(environment.stateFolder)/pool", stateFolder: environment.stateFolder,
                machineGroup: environment.machineGroup),
            fixedCapacity: configuration.capacityBytes)
        try await pool.perform { _ in }
    }
}

@_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(storage: StorageLocal.self) }
