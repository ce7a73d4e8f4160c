import CarpelPluginSDK

extension StorageLocal {
    public func publishVolume(_ request: PublishVolumeRequest) async throws -> VolumePublication {
        try checkName(request.podID, of: "podID")
        return try await pool.perform([.volume(request.volumeID)]) { tools in
            var volume = try pool.volume(request.volumeID)
            if try !isPublished(volume, as: request) {
                if volume.publications.isEmpty { try await settle(volume, with: tools) }
                try Task.checkCancellation()
                volume.publications.append(.init(podID: request.podID, accessMode: request.accessMode))
                try pool.update(volume)
            }
            return try publication(of: volume, as: request.accessMode)
        }
    }

    public func unpublishVolume(_ request: UnpublishVolumeRequest) async throws {
        try await pool.perform([.volume(request.volumeID)]) { _ in
            _ = try withdraw(request.volumeID) { $0.podID == request.podID }
        }
    }

    /// Takes nothing back while a record cannot be read: what is listed as valid may be in that one.
    public func collectPublications(
        _ request: CollectPublicationsRequest
    ) async throws -> CollectPublicationsResponse {
        let valid = Set(request.valid)
        var removed: [UnpublishVolumeRequest] = []
        for id in try await pool.perform([], work: { _ in try idsForCollection() }) {
            removed += try await pool.perform([.volume(id)]) { _ in
                try withdraw(id) { !valid.contains(UnpublishVolumeRequest(volumeID: id, podID: $0.podID)) }
            }
        }
        return CollectPublicationsResponse(removed: removed)
    }

    private func idsForCollection() throws -> [String] {
        let (ids, unreadable) = pool.read { ($0.volumes.keys.sorted(), $0.unreadable) }
        guard let first = unreadable.first else { return ids }
        throw PluginError(
            .failedPrecondition, "recordsUnreadable",
            "nothing is collected while a record cannot be read: mend or remove \(first) and reload the plugin")
    }

    /// - Returns: whether the pod has the volume already.
    /// - Throws: ``PluginError`` if it may not have it.
    private func isPublished(_ volume: VolumeRecord, as request: PublishVolumeRequest) throws -> Bool {
        if let publication = volume.publications.first(where: { $0.podID == request.podID }) {
            guard publication.accessMode == request.accessMode else {
                throw PluginError(
                    .alreadyExists, "publishedOtherwise",
                    "the pod has the volume \"\(volume.name)\" as \(publication.accessMode.rawValue) already")
            }
            return true
        }
        guard let other = volume.publications.first else { return false }
        guard request.accessMode == .multiReader, !volume.isPublishedToWriter else {
            throw PluginError(
                .failedPrecondition, "accessConflict",
                "the pod \(other.podID) has the volume \"\(volume.name)\" as \(other.accessMode.rawValue), which "
                    + "leaves no room for \(request.accessMode.rawValue)")
        }
        return false
    }

    private func publication(
        of volume: VolumeRecord, as accessMode: VolumeAccessMode
    ) throws -> VolumePublication {
        let disk = pool.folders.volumes.disk(of: volume)
        guard try fileStatus(disk) != nil else { throw missing(disk) }
        // Again with each repetition: the first may have been cut off before it.
        try pool.folders.setAccess(of: disk, to: volume)
        return VolumePublication(
            path: disk, format: volume.content.format, readOnly: accessMode == .multiReader,
            mode: volume.content.mode, fsType: volume.content.fileSystem?.rawValue, limits: volume.limits)
    }

    private func withdraw(
        _ id: String, _ isToGo: (VolumeRecord.Publication) -> Bool
    ) throws -> [UnpublishVolumeRequest] {
        guard var volume = pool.read({ $0.volumes[id] }) else { return [] }
        let removed = volume.publications.filter(isToGo)
        guard !removed.isEmpty else { return [] }
        volume.publications.removeAll(where: isToGo)
        try pool.update(volume)
        // The next publication sets it too.
        do {
            try pool.folders.setAccess(of: pool.folders.volumes.disk(of: volume), to: volume)
        } catch {
            log("the volume \(id) is taken back, but its file stays open to machines: \(error)")
        }
        return removed.map { UnpublishVolumeRequest(volumeID: id, podID: $0.podID) }
    }
}
