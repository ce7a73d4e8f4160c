import CarpelPluginSDK

extension StorageLocal {
    /// Records the capacity, and then makes the disk longer; for a published one that is the machine's part.
    ///
    /// The file system in it grows when a machine next mounts it, or at once where one has it: a file system that is
    /// mounted grows with its journal's protection, and one that is not could be damaged by a kill.
    public func expandVolume(_ request: ExpandVolumeRequest) async throws -> ExpandVolumeResponse {
        guard request.capacityBytes > 0 else {
            throw PluginError(.invalidArgument, "capacityInvalid", "capacityBytes must be above 0")
        }
        let bytes = try wholeBlocks(request.capacityBytes)
        return try await pool.perform([.volume(request.volumeID)]) { tools in
            var volume = try pool.volume(request.volumeID)
            let old = volume
            if bytes > volume.capacityBytes {
                try requireNoReaders(volume)
                let reservation = try pool.reserve(bytes - volume.capacityBytes)
                volume.capacityBytes = bytes
                try pool.update(volume, using: reservation)
            }
            guard volume.publications.isEmpty else {
                return ExpandVolumeResponse(
                    capacityBytes: volume.capacityBytes, resizedByMachine: try isShort(volume))
            }
            do {
                try await settle(volume, with: tools)
            } catch {
                if volume.capacityBytes > old.capacityBytes { try pool.update(old) }
                throw error
            }
            return ExpandVolumeResponse(capacityBytes: volume.capacityBytes, resizedByMachine: false)
        }
    }

    private func requireNoReaders(_ volume: VolumeRecord) throws {
        guard !volume.publications.isEmpty, !volume.isPublishedToWriter else { return }
        throw PluginError(
            .failedPrecondition, "volumePublishedReadOnly",
            "the volume \"\(volume.name)\" is in use by pods that may only read: none of them can make it larger; stop "
                + "them first")
    }

    private func isShort(_ volume: VolumeRecord) throws -> Bool {
        try diskLength(pool.folders.volumes.disk(of: volume), volume.content.format) < volume.capacityBytes
    }

    /// Makes the disk as long as the record says: after an expansion that was cut off, or that no machine carried out.
    ///
    /// Nobody has the volume open.
    func settle(_ volume: VolumeRecord, with tools: Tools) async throws {
        let disk = pool.folders.volumes.disk(of: volume)
        guard try fileStatus(disk) != nil else { throw missing(disk) }
        // Milliseconds: a cancellation in the middle would leave open which length the disk has.
        try await Task { try await tools.lengthen(disk, volume.content.format, to: volume.capacityBytes) }.value
    }
}
