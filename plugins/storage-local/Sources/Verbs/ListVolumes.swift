import CarpelPluginSDK

extension StorageLocal {
    public func listVolumes() async throws -> ListVolumesResponse {
        try await pool.perform([]) { _ in
            let volumes = pool.read { $0.volumes.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) } }
            return ListVolumesResponse(volumes: try volumes.map(describe))
        }
    }

    func describe(_ volume: VolumeRecord) throws -> Volume {
        Volume(
            id: volume.id, name: volume.name, capacityBytes: volume.capacityBytes,
            allocatedBytes: try fileStatus(pool.folders.volumes.disk(of: volume))?.allocatedBytes,
            mode: volume.content.mode, source: volume.request.source, parameters: volume.parameters,
            createdAt: volume.createdAt, publishedTo: volume.publications.map(\.podID))
    }
}

extension VolumeRecord {
    /// The settings that it has, those that nobody asked for too.
    fileprivate var parameters: [String: String] {
        var parameters = request.parameters
        parameters["format"] = content.format.rawValue
        parameters["fsType"] = content.fileSystem?.rawValue
        return parameters
    }
}
