import CarpelPluginSDK

extension StorageLocal {
    public func createSnapshot(_ request: CreateSnapshotRequest) async throws -> Snapshot {
        try checkName(request.name, of: "name")
        return try await pool.perform([.snapshotName(request.name), .volume(request.sourceVolumeID)]) { tools in
            if let existing = pool.read({ $0.snapshot(named: request.name) }) {
                guard existing.sourceVolumeID == request.sourceVolumeID else {
                    throw PluginError(
                        .alreadyExists, "snapshotExists",
                        "there is a snapshot \"\(request.name)\" of another volume: choose another name")
                }
                return Snapshot(existing)
            }
            return try await snapshot(try pool.volume(request.sourceVolumeID), named: request.name, with: tools)
        }
    }

    public func deleteSnapshot(_ request: DeleteSnapshotRequest) async throws {
        try await pool.perform([.snapshot(request.snapshotID)]) { _ in
            if let snapshot = pool.read({ $0.snapshots[request.snapshotID] }) { try pool.remove(snapshot) }
        }
    }

    public func listSnapshots() async throws -> ListSnapshotsResponse {
        try await pool.perform([]) { _ in
            let snapshots = pool.read {
                $0.snapshots.values.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
            }
            return ListSnapshotsResponse(snapshots: snapshots.map(Snapshot.init))
        }
    }

    private func snapshot(_ volume: VolumeRecord, named name: String, with tools: Tools) async throws -> Snapshot {
        let source = SourceDisk(volume, in: pool.folders)
        let reservation = try pool.reserve(try fileStatus(source.path)?.allocatedBytes ?? 0)
        let id = makeIdentifier()
        return try await pool.folders.withTemporaryDisk(id) { path in
            let disk = try await copy(source, to: path, with: tools)
            let record = SnapshotRecord(
                id: id, name: name, sourceVolumeID: volume.id, content: volume.content,
                createdAt: nanosecondsSince1970(), capacityBytes: volume.capacityBytes,
                allocatedBytes: try fileStatus(disk)?.allocatedBytes ?? 0)
            try pool.add(record, disk: disk, using: reservation)
            return Snapshot(record)
        }
    }
}

extension Snapshot {
    fileprivate init(_ record: SnapshotRecord) {
        self.init(
            id: record.id, name: record.name, sourceVolumeID: record.sourceVolumeID,
            capacityBytes: record.capacityBytes, createdAt: record.createdAt)
    }
}
