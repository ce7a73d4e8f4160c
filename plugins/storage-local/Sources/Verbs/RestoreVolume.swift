import CarpelPluginSDK

extension StorageLocal {
    /// A copy of the snapshot takes the place of the volume's disk by one rename(2).
    public func restoreVolume(_ request: RestoreVolumeRequest) async throws -> Volume {
        try await pool.perform([.volume(request.volumeID), .snapshot(request.snapshotID)]) { tools in
            let volume = try pool.volume(request.volumeID)
            let snapshot = try pool.snapshot(request.snapshotID)
            guard snapshot.sourceVolumeID == volume.id else {
                throw PluginError(
                    .invalidArgument, "snapshotOfAnotherVolume",
                    "the snapshot \"\(snapshot.name)\" is not one of the volume \"\(volume.name)\": make a volume from "
                        + "it instead")
            }
            try requireUnpublished(volume)
            try await pool.folders.withTemporaryDisk(volume.id) { path in
                let disk = try await copy(SourceDisk(snapshot, in: pool.folders), to: path, with: tools)
                try await tools.lengthen(disk, volume.content.format, to: volume.capacityBytes)
                try pool.folders.setAccess(of: disk, to: volume)
                try pool.folders.volumes.adopt(disk, for: volume)
            }
            return try describe(volume)
        }
    }
}
