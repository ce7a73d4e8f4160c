import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelPluginSDK

extension Runtime {
    public func createVolume(_ request: CarpelAPI.CreateVolumeRequest) async throws -> CreateVolumeResponse {
        try checkVolumeName(request.name, at: "name")
        guard request.capacityBytes >= 0 else { throw CarpelError.invalid("capacityBytes", "a size is not negative") }
        let plugin = storagePlugin(request.plugin)
        let (source, sourceVolume) = try await source(of: request)
        let asked = CarpelPluginSDK.CreateVolumeRequest(
            name: request.name, capacityBytes: request.capacityBytes, source: source,
            mode: request.mode == .BLOCK ? .block : .filesystem, parameters: request.parameters)
        let volume = try await detachedFromCaller {
            defer { self.environment.events.markStale(.VOLUME) }
            let calls = try await self.environment.plugins.storage(plugin)
            return try await self.copying(sourceVolume, plugin: plugin) {
                try await calls.createVolume(asked)
            } discard: {
                try await calls.deleteVolume(DeleteVolumeRequest(volumeID: $0.id))
            }
        }
        return CreateVolumeResponse { $0.volume = VolumeInfo(volume, plugin: plugin) }
    }

    private func source(of request: CarpelAPI.CreateVolumeRequest) async throws -> (
        source: VolumeSource?, volumeID: String?
    ) {
        switch (request.sourceVolume.isEmpty, request.sourceSnapshot.isEmpty) {
        case (true, true): return (nil, nil)
        case (false, true):
            let found = try await findVolume(request.sourceVolume, plugin: request.plugin, at: "sourceVolume")
            return (.volume(found.volume.id), found.volume.id)
        case (true, false):
            let found = try await findSnapshot(request.sourceSnapshot, plugin: request.plugin, at: "sourceSnapshot")
            return (.snapshot(found.id), nil)
        case (false, false):
            throw CarpelError.invalid("sourceVolume", "give either sourceVolume or sourceSnapshot")
        }
    }

    /// The plugin's snapshot with this id or name.
    private func findSnapshot(_ name: String, plugin: String, at field: String) async throws -> Snapshot {
        try checkVolumeName(name, at: field)
        let plugin = storagePlugin(plugin)
        let snapshots = try await environment.plugins.storage(plugin).listSnapshots().snapshots
        guard let found = snapshots.first(where: { $0.id == name }) ?? snapshots.first(where: { $0.name == name })
        else {
            throw CarpelError(
                .notFound, "snapshotNotFound",
                "\(plugin) has no snapshot \"\(name)\"; ListVolumeSnapshots shows them all", field: field)
        }
        return found
    }

    /// A volume that is not there is removed already.
    public func removeVolume(_ request: RemoveVolumeRequest) async throws -> EmptyResponse {
        try checkVolumeName(request.volume, at: "volume")
        let calls = try await environment.plugins.storage(storagePlugin(request.plugin))
        let volumes = try await calls.listVolumes().volumes
        guard
            let volume = volumes.first(where: { $0.id == request.volume })
                ?? volumes.first(where: { $0.name == request.volume })
        else { return EmptyResponse() }
        try await detachedFromCaller {
            defer { self.environment.events.markStale(.VOLUME) }
            try await calls.deleteVolume(DeleteVolumeRequest(volumeID: volume.id))
        }
        return EmptyResponse()
    }

    /// A snapshot that is not there is removed already.
    public func removeVolumeSnapshot(_ request: RemoveVolumeSnapshotRequest) async throws -> EmptyResponse {
        let calls = try await environment.plugins.storage(storagePlugin(request.plugin))
        do {
            let snapshot = try await findSnapshot(request.snapshot, plugin: request.plugin, at: "snapshot")
            try await detachedFromCaller {
                try await calls.deleteSnapshot(DeleteSnapshotRequest(snapshotID: snapshot.id))
            }
        } catch let error as CarpelError where error.reason == "snapshotNotFound" {
            // That is what was asked for.
        }
        return EmptyResponse()
    }

    /// The plugin makes room; where a pod has the volume, its machine makes the disk longer and its guest the file system.
    public func expandVolume(_ request: CarpelAPI.ExpandVolumeRequest) async throws -> CarpelAPI.ExpandVolumeResponse {
        guard request.capacityBytes > 0 else {
            throw CarpelError.invalid("capacityBytes", "give the new size in bytes")
        }
        let (plugin, volume) = try await findVolume(request.volume, plugin: request.plugin, at: "volume")
        try await detachedFromCaller {
            defer { self.environment.events.markStale(.VOLUME) }
            let expanded = try await self.environment.plugins.storage(plugin).expandVolume(
                .init(volumeID: volume.id, capacityBytes: request.capacityBytes))
            guard expanded.resizedByMachine else { return }
            for (pod, name) in await self.holders(of: volume.id, plugin: plugin) {
                try await pod.grow(name, to: ByteCount(expanded.capacityBytes))
            }
        }
        let (_, grown) = try await findVolume(volume.id, plugin: plugin, at: "volume")
        return CarpelAPI.ExpandVolumeResponse { $0.volume = VolumeInfo(grown, plugin: plugin) }
    }

    public func createVolumeSnapshot(
        _ request: CreateVolumeSnapshotRequest
    ) async throws -> CreateVolumeSnapshotResponse {
        try checkVolumeName(request.name, at: "name")
        let (plugin, volume) = try await findVolume(request.volume, plugin: request.plugin, at: "volume")
        let snapshot = try await detachedFromCaller {
            let calls = try await self.environment.plugins.storage(plugin)
            return try await self.copying(volume.id, plugin: plugin) {
                try await calls.createSnapshot(
                    CreateSnapshotRequest(name: request.name, sourceVolumeID: volume.id))
            } discard: {
                try await calls.deleteSnapshot(DeleteSnapshotRequest(snapshotID: $0.id))
            }
        }
        return CreateVolumeSnapshotResponse { $0.snapshot = VolumeSnapshotInfo(snapshot, plugin: plugin) }
    }

    public func restoreVolume(_ request: CarpelAPI.RestoreVolumeRequest) async throws -> RestoreVolumeResponse {
        let (plugin, volume) = try await findVolume(request.volume, plugin: request.plugin, at: "volume")
        let snapshot = try await findSnapshot(request.snapshot, plugin: plugin, at: "snapshot")
        let restored = try await detachedFromCaller {
            defer { self.environment.events.markStale(.VOLUME) }
            return try await self.environment.plugins.storage(plugin).restoreVolume(
                .init(volumeID: volume.id, snapshotID: snapshot.id))
        }
        return RestoreVolumeResponse { $0.volume = VolumeInfo(restored, plugin: plugin) }
    }
}

extension PodSandbox {
    fileprivate func grow(_ volume: String, to size: ByteCount) async throws {
        guard let published = record.volumes.first(where: { $0.name == volume }),
            let publication = published.publication
        else { return }
        try await serialisingDevices {
            let running = try await self.running()
            try await running.machine.resize(serial: published.serial, to: size)
            guard publication.mode == .filesystem else { return }
            try await translated("grow the file system") { try await running.guest.ask(.growVolume(name: volume)) }
        }
    }
}
