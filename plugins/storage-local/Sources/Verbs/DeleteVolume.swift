import CarpelPluginSDK

extension StorageLocal {
    /// Its snapshots stay: each is a disk of its own.
    public func deleteVolume(_ request: DeleteVolumeRequest) async throws {
        try await pool.perform([.volume(request.volumeID)]) { _ in
            guard let volume = pool.read({ $0.volumes[request.volumeID] }) else { return }
            try requireUnpublished(volume)
            try pool.remove(volume)
        }
    }

    /// - Throws: ``PluginError`` with `volumePublished`.
    func requireUnpublished(_ volume: VolumeRecord) throws {
        guard let pod = volume.publications.first?.podID else { return }
        throw PluginError(
            .failedPrecondition, "volumePublished",
            "the volume \"\(volume.name)\" is in use by the pod \(pod): stop that first")
    }
}
