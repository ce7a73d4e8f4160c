import CarpelPluginSDK

/// What lies on disk as a file of its own, `ID.json`.
protocol StoredRecord: Codable, Sendable {
    var version: Int { get }
    var id: String { get }
    var content: VolumeContent { get }
}

struct VolumeRecord: StoredRecord {
    struct Publication: Codable, Sendable, Hashable {
        var podID: String
        var accessMode: VolumeAccessMode
    }

    private(set) var version = recordVersion
    let id: String
    /// As it came, for a repetition to be compared with.
    let request: CreateVolumeRequest
    let content: VolumeContent
    let limits: DiskLimits?
    let createdAt: Int64
    /// What the volume's disk is to have. The file may be shorter: see `Pool.settle`.
    var capacityBytes: Int64
    var publications: [Publication] = []

    var name: String { request.name }

    var isPublishedToWriter: Bool { publications.contains { $0.accessMode == .singleWriter } }
}

struct SnapshotRecord: StoredRecord {
    private(set) var version = recordVersion
    let id: String
    let name: String
    let sourceVolumeID: String
    let content: VolumeContent
    let createdAt: Int64
    let capacityBytes: Int64
    /// What it took on disk when it was made, which never grows: what it counts for in the pool.
    let allocatedBytes: Int64
}

/// Of the records that this code writes, and the only one that it reads.
let recordVersion = 1
