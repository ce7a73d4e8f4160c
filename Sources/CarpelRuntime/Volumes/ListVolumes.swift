import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelPluginSDK

extension Runtime {
    /// The volumes of one storage plugin or of all. A plugin that cannot be asked is told of, and the rest goes on.
    public func listVolumes(_ request: ListVolumesRequest) async throws -> CarpelAPI.ListVolumesResponse {
        var volumes: [VolumeInfo] = []
        var pools: [StoragePool] = []
        for plugin in try await storagePlugins(request.plugin) {
            do {
                let calls = try await environment.plugins.storage(plugin)
                let (listed, capacity) = (try await calls.listVolumes(), try await calls.getCapacity())
                volumes += listed.volumes.map { VolumeInfo($0, plugin: plugin) }
                pools.append(
                    StoragePool {
                        $0.plugin = plugin
                        $0.capacityBytes = capacity.capacityBytes
                        $0.availableBytes = capacity.availableBytes
                    })
            } catch {
                guard request.plugin.isEmpty else { throw error }
                pools.append(
                    StoragePool {
                        $0.plugin = plugin
                        $0.message = "\(CarpelError.wrapping(error, during: "ask \(plugin)").message)"
                    })
            }
        }
        return CarpelAPI.ListVolumesResponse {
            $0.volumes = volumes.sorted { ($0.name, $0.plugin) < ($1.name, $1.plugin) }
            $0.pools = pools
        }
    }

    public func volumeStatus(_ request: VolumeStatusRequest) async throws -> VolumeStatusResponse {
        let (plugin, volume) = try await findVolume(request.volume, plugin: request.plugin, at: "volume")
        let usage = try await usage(of: volume, plugin: plugin)
        return VolumeStatusResponse {
            $0.volume = VolumeInfo(volume, plugin: plugin)
            $0.usage = usage
        }
    }

    /// What the first pod that has the volume and runs says of it.
    private func usage(of volume: Volume, plugin: String) async throws -> CarpelAPI.VolumeUsage? {
        for (pod, name) in await holders(of: volume.id, plugin: plugin) {
            guard let running = try? await pod.running(),
                case .volumeUsage(let usage) = try await translated(
                    "ask for the volume's usage", { try await running.guest.ask(.volumeUsage(name: name)) })
            else { continue }
            return CarpelAPI.VolumeUsage {
                $0.capacityBytes = Int64(clamping: usage.capacityBytes)
                $0.usedBytes = Int64(clamping: usage.usedBytes)
                $0.inodes = Int64(clamping: usage.inodes)
                $0.usedInodes = Int64(clamping: usage.usedInodes)
            }
        }
        return nil
    }

    /// The pods that have the volume, and what they call it.
    func holders(of volumeID: String, plugin: String) async -> [(pod: PodSandbox, name: String)] {
        var holders: [(pod: PodSandbox, name: String)] = []
        for pod in pods.values {
            let volumes = await pod.record.volumes
            guard let volume = volumes.first(where: { $0.plugin == plugin && $0.request.volumeID == volumeID }) else {
                continue
            }
            holders.append((pod, volume.name))
        }
        return holders
    }

    /// The one that is named, or all that are there.
    func storagePlugins(_ name: String) async throws -> [String] {
        guard name.isEmpty else { return [name] }
        return await environment.plugins.list()
            .filter { $0.kind == .storage && $0.isServed }.map(\.name)
    }

    public func listVolumeSnapshots(_ request: ListVolumeSnapshotsRequest) async throws -> ListVolumeSnapshotsResponse {
        var snapshots: [VolumeSnapshotInfo] = []
        if !request.volume.isEmpty {
            let (plugin, volume) = try await findVolume(request.volume, plugin: request.plugin, at: "volume")
            snapshots = try await environment.plugins.storage(plugin).listSnapshots().snapshots
                .filter { $0.sourceVolumeID == volume.id }.map { VolumeSnapshotInfo($0, plugin: plugin) }
        } else {
            for plugin in try await storagePlugins(request.plugin) {
                snapshots += try await environment.plugins.storage(plugin).listSnapshots().snapshots
                    .map { VolumeSnapshotInfo($0, plugin: plugin) }
            }
        }
        return ListVolumeSnapshotsResponse { $0.snapshots = snapshots.sorted { $0.createdAt < $1.createdAt } }
    }

    /// Takes back from the storage plugins what no pod has any more. Nothing is touched while a record cannot be read.
    func collectPublications() async {
        guard environment.store.unreadable.isEmpty, let plugins = try? await storagePlugins("") else { return }
        for plugin in plugins {
            var valid: [UnpublishVolumeRequest] = []
            for pod in pods.values {
                valid += await pod.record.volumes.filter { $0.plugin == plugin }.map(\.withdrawal)
            }
            do {
                let response = try await environment.plugins.storage(plugin)
                    .collectPublications(CollectPublicationsRequest(valid: valid))
                for removed in response.removed {
                    logger.warning(
                        "took a volume back from a pod that is gone",
                        metadata: ["pod": "\(removed.podID.prefix(13))", "volume": "\(removed.volumeID)"])
                }
            } catch {
                logger.warning(
                    "cannot take back what pods that are gone had",
                    metadata: ["plugin": "\(plugin)", "cause": "\(error)"])
            }
        }
    }
}

extension VolumeInfo {
    init(_ volume: Volume, plugin: String) {
        self.init()
        id = volume.id
        name = volume.name
        self.plugin = plugin
        capacityBytes = volume.capacityBytes
        allocatedBytes = volume.allocatedBytes ?? -1
        mode = volume.mode == .block ? .BLOCK : .FILESYSTEM
        parameters = volume.parameters
        createdAt = volume.createdAt
        podSandboxIds = volume.publishedTo
        switch volume.source {
        case .snapshot(let id): sourceSnapshotId = id
        case .volume(let id): sourceVolumeId = id
        case nil: break
        }
    }
}

extension VolumeSnapshotInfo {
    init(_ snapshot: Snapshot, plugin: String) {
        self.init()
        id = snapshot.id
        name = snapshot.name
        self.plugin = plugin
        sourceVolumeId = snapshot.sourceVolumeID
        capacityBytes = snapshot.capacityBytes
        createdAt = snapshot.createdAt
    }
}
