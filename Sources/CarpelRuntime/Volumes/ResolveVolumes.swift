import CarpelAPI
import CarpelCore
import CarpelPluginSDK

extension Runtime {
    /// What the storage plugins are asked for a pod, its volumes named by their ids.
    func volumeRequests(of config: PodSandboxConfig, podID: String) async throws -> [PublishedVolume] {
        var volumes: [PublishedVolume] = []
        for (index, volume) in (config.carpel?.volumes ?? []).enumerated() {
            guard let persistent = volume.persistent else { continue }
            let field = "config.carpel.volumes[\(index)].persistent"
            let found = try await findVolume(persistent.volume, plugin: persistent.plugin, at: "\(field).volume")
            let mode: CarpelPluginSDK.VolumeAccessMode =
                persistent.accessMode == .MULTI_READER ? .multiReader : .singleWriter
            volumes.append(
                PublishedVolume(
                    name: volume.name, serial: volumeSerial(at: index), plugin: found.plugin,
                    request: PublishVolumeRequest(volumeID: found.volume.id, podID: podID, accessMode: mode)))
        }
        return volumes
    }

    /// The plugin's volume with this id or name.
    /// - Parameter plugin: empty for the configuration's `storage`.
    /// - Throws: `.notFound`/`volumeNotFound`.
    nonisolated func findVolume(_ name: String, plugin: String, at field: String) async throws -> (
        plugin: String, volume: Volume
    ) {
        try checkVolumeName(name, at: field)
        let plugin = storagePlugin(plugin)
        let volumes = try await environment.plugins.storage(plugin).listVolumes().volumes
        guard let volume = volumes.first(where: { $0.id == name }) ?? volumes.first(where: { $0.name == name }) else {
            throw CarpelError(
                .notFound, "volumeNotFound",
                "\(plugin) has no volume \"\(name)\"; make it with CreateVolume, and see ListVolumes", field: field)
        }
        return (plugin, volume)
    }

    nonisolated func storagePlugin(_ name: String) -> String {
        name.isEmpty ? environment.configuration.storage : name
    }
}
