import CarpelAPI
import CarpelCore
import CarpelPlugins

extension Runtime {
    /// Tells of changes of what has no actor of the runtime's own: images, volumes and plugins. Runs until it is
    /// cancelled.
    nonisolated func tellChanges() async {
        environment.events.markStale(.IMAGE, .VOLUME, .PLUGIN)
        for await kinds in environment.events.staleKinds {
            if kinds.contains(.IMAGE) { await tellImages() }
            if kinds.contains(.PLUGIN) { await tellPlugins() }
            if kinds.contains(.VOLUME) { await tellVolumes() }
        }
    }

    private nonisolated func tellImages() async {
        guard let images = try? await environment.images.list() else { return }
        environment.events.tell(
            .IMAGE,
            present: images.map { image in
                WatchNodeResponse {
                    $0.kind = .IMAGE
                    $0.id = image.id
                    $0.image = ImageItem(image)
                }
            })
    }

    private nonisolated func tellPlugins() async {
        let plugins = await environment.plugins.list()
        environment.events.tell(
            .PLUGIN,
            present: plugins.map { plugin in
                WatchNodeResponse {
                    var info = PluginInfo(plugin)
                    (info.calls, info.residentBytes) = (0, 0)
                    $0.kind = .PLUGIN
                    $0.id = info.name
                    $0.plugin = info
                }
            })
    }

    /// A plugin that cannot be asked has the volumes that it had.
    private nonisolated func tellVolumes() async {
        for plugin in (try? await storagePlugins("")) ?? [] {
            guard let volumes = try? await environment.plugins.storage(plugin).listVolumes().volumes else { continue }
            let present = volumes.map { volume in
                WatchNodeResponse {
                    var info = VolumeInfo(volume, plugin: plugin)
                    info.allocatedBytes = -1
                    $0.kind = .VOLUME
                    $0.id = info.id
                    $0.volume = info
                }
            }
            environment.events.tell(.VOLUME, present: present) { $0.volume?.plugin == plugin }
        }
    }
}
