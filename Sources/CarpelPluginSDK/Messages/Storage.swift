/// Makes a volume: CSI's CreateVolume. Repeated with the same name and content, it answers the same volume;
/// with another content `ALREADY_EXISTS`.
public struct CreateVolumeRequest: Codable, Sendable, Hashable {
    /// Letters, digits, `-`, `_` and `.`, at most 128.
    public var name: String
    /// The least that the volume must hold; 0: the source's capacity, or the plugin's default.
    public var capacityBytes: Int64
    public var source: VolumeSource?
    public var mode: VolumeMode
    /// The plugin's own settings: `format: qcow2`, `fsType: xfs` and so on.
    public var parameters: [String: String]

    public init(
        name: String, capacityBytes: Int64 = 0, source: VolumeSource? = nil, mode: VolumeMode = .filesystem,
        parameters: [String: String] = [:]
    ) {
        self.name = name
        self.capacityBytes = capacityBytes
        self.source = source
        self.mode = mode
        self.parameters = parameters
    }
}

/// What a new volume holds from the start: `{"snapshot": "an id"}` or `{"volume": "an id"}` on the wire.
public enum VolumeSource: Codable, Sendable, Hashable {
    /// A snapshot's id.
    case snapshot(String)
    /// Another volume's id.
    case volume(String)

    private enum CodingKeys: CodingKey {
        case snapshot, volume
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        let snapshot = try members.decodeIfPresent(String.self, forKey: .snapshot)
        let volume = try members.decodeIfPresent(String.self, forKey: .volume)
        switch (snapshot, volume) {
        case (let id?, nil): self = .snapshot(id)
        case (nil, let id?): self = .volume(id)
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: members.codingPath, debugDescription: "expected either snapshot or volume"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .snapshot(let id): try members.encode(id, forKey: .snapshot)
        case .volume(let id): try members.encode(id, forKey: .volume)
        }
    }
}

/// How containers see a volume.
public enum VolumeMode: String, Codable, Sendable {
    /// A folder: the guest mounts the file system that the volume holds.
    case filesystem
    /// A device node.
    case block
}

public struct Volume: Codable, Sendable, Hashable {
    /// The plugin's name for it: letters, digits, `-`, `_` and `.`, at most 128.
    public var id: String
    public var name: String
    public var capacityBytes: Int64
    /// What it takes on the node; nil where the plugin does not know.
    public var allocatedBytes: Int64?
    public var mode: VolumeMode
    public var source: VolumeSource?
    public var parameters: [String: String]
    /// Nanoseconds since 1970.
    public var createdAt: Int64
    /// The ids of the pods that it is published to.
    public var publishedTo: [String]

    public init(
        id: String, name: String, capacityBytes: Int64, allocatedBytes: Int64? = nil, mode: VolumeMode,
        source: VolumeSource? = nil, parameters: [String: String] = [:], createdAt: Int64, publishedTo: [String] = []
    ) {
        self.id = id
        self.name = name
        self.capacityBytes = capacityBytes
        self.allocatedBytes = allocatedBytes
        self.mode = mode
        self.source = source
        self.parameters = parameters
        self.createdAt = createdAt
        self.publishedTo = publishedTo
    }
}

/// Ends a volume: CSI's DeleteVolume. One that is not there is fine; one that is published: `FAILED_PRECONDITION`.
/// Answer: ``NoMembers``.
public struct DeleteVolumeRequest: Codable, Sendable, Hashable {
    public var volumeID: String

    public init(volumeID: String) { self.volumeID = volumeID }
}

/// Makes a volume larger: CSI's ControllerExpandVolume. One that is large enough is fine.
public struct ExpandVolumeRequest: Codable, Sendable, Hashable {
    public var volumeID: String
    public var capacityBytes: Int64

    public init(volumeID: String, capacityBytes: Int64) {
        self.volumeID = volumeID
        self.capacityBytes = capacityBytes
    }
}

public struct ExpandVolumeResponse: Codable, Sendable, Hashable {
    public var capacityBytes: Int64
    /// The volume is published: its disk has its old length until the machine that has it open makes it longer,
    /// as Carpel then does; if that does not come about, the plugin does it when the volume is free.
    public var resizedByMachine: Bool

    public init(capacityBytes: Int64, resizedByMachine: Bool) {
        self.capacityBytes = capacityBytes
        self.resizedByMachine = resizedByMachine
    }
}

/// Hands a volume to a pod: CSI's NodePublishVolume. Repeated for the same pod, it answers the same.
///
/// `FAILED_PRECONDITION` if the access modes of the pods that have it do not allow another.
public struct PublishVolumeRequest: Codable, Sendable, Hashable {
    public var volumeID: String
    public var podID: String
    public var accessMode: VolumeAccessMode

    public init(volumeID: String, podID: String, accessMode: VolumeAccessMode) {
        self.volumeID = volumeID
        self.podID = podID
        self.accessMode = accessMode
    }
}

/// CSI's access modes, as far as one node can tell them apart.
public enum VolumeAccessMode: String, Codable, Sendable, CaseIterable {
    /// One pod, which may write.
    case singleWriter
    /// Any number of pods, none of which writes.
    case multiReader
}

/// The disk that a machine is to have.
public struct VolumePublication: Codable, Sendable, Hashable {
    public enum DiskFormat: String, Codable, Sendable {
        case raw, qcow2
    }

    /// A file or block device that the machine's group may read, and write if it may.
    public var path: String
    public var format: DiskFormat
    public var readOnly: Bool
    public var mode: VolumeMode
    /// `ext4` or `xfs`; nil for a block volume.
    public var fsType: String?
    public var limits: DiskLimits?

    public init(
        path: String, format: DiskFormat, readOnly: Bool, mode: VolumeMode, fsType: String?, limits: DiskLimits? = nil
    ) {
        self.path = path
        self.format = format
        self.readOnly = readOnly
        self.mode = mode
        self.fsType = fsType
        self.limits = limits
    }
}

/// The most that a machine may do to a disk in a second; nil: no limit.
public struct DiskLimits: Codable, Sendable, Hashable {
    public var readBytesPerSecond: Int64?
    public var writeBytesPerSecond: Int64?
    public var readOperationsPerSecond: Int64?
    public var writeOperationsPerSecond: Int64?

    public init(
        readBytesPerSecond: Int64? = nil, writeBytesPerSecond: Int64? = nil, readOperationsPerSecond: Int64? = nil,
        writeOperationsPerSecond: Int64? = nil
    ) {
        self.readBytesPerSecond = readBytesPerSecond
        self.writeBytesPerSecond = writeBytesPerSecond
        self.readOperationsPerSecond = readOperationsPerSecond
        self.writeOperationsPerSecond = writeOperationsPerSecond
    }
}

/// Takes a volume back from a pod: CSI's NodeUnpublishVolume. One that the pod does not have is fine.
/// Answer: ``NoMembers``.
public struct UnpublishVolumeRequest: Codable, Sendable, Hashable {
    public var volumeID: String
    public var podID: String

    public init(volumeID: String, podID: String) {
        self.volumeID = volumeID
        self.podID = podID
    }
}

/// Keeps a volume's content as it is now: CSI's CreateSnapshot. Repeated with the same name and volume, it answers
/// the same snapshot; with another volume `ALREADY_EXISTS`.
///
/// Where the volume is published the file system in it has been frozen by the caller.
public struct CreateSnapshotRequest: Codable, Sendable, Hashable {
    /// Letters, digits, `-`, `_` and `.`, at most 128.
    public var name: String
    public var sourceVolumeID: String

    public init(name: String, sourceVolumeID: String) {
        self.name = name
        self.sourceVolumeID = sourceVolumeID
    }
}

public struct Snapshot: Codable, Sendable, Hashable {
    public var id: String
    public var name: String
    public var sourceVolumeID: String
    /// The capacity of the volume when the snapshot was made.
    public var capacityBytes: Int64
    /// Nanoseconds since 1970.
    public var createdAt: Int64

    public init(id: String, name: String, sourceVolumeID: String, capacityBytes: Int64, createdAt: Int64) {
        self.id = id
        self.name = name
        self.sourceVolumeID = sourceVolumeID
        self.capacityBytes = capacityBytes
        self.createdAt = createdAt
    }
}

/// Ends a snapshot: CSI's DeleteSnapshot. One that is not there is fine. Answer: ``NoMembers``.
public struct DeleteSnapshotRequest: Codable, Sendable, Hashable {
    public var snapshotID: String

    public init(snapshotID: String) { self.snapshotID = snapshotID }
}

/// Gives a volume the content of one of its snapshots. `FAILED_PRECONDITION` while it is published.
/// CSI has no such verb. Answer: the ``Volume``.
public struct RestoreVolumeRequest: Codable, Sendable, Hashable {
    public var volumeID: String
    public var snapshotID: String

    public init(volumeID: String, snapshotID: String) {
        self.volumeID = volumeID
        self.snapshotID = snapshotID
    }
}

/// CSI's ListVolumes. The request is ``NoMembers``.
public struct ListVolumesResponse: Codable, Sendable, Hashable {
    /// In the order of their names.
    public var volumes: [Volume]

    public init(volumes: [Volume]) { self.volumes = volumes }
}

/// CSI's ListSnapshots. The request is ``NoMembers``.
public struct ListSnapshotsResponse: Codable, Sendable, Hashable {
    /// The oldest first.
    public var snapshots: [Snapshot]

    public init(snapshots: [Snapshot]) { self.snapshots = snapshots }
}

/// CSI's GetCapacity. The request is ``NoMembers``.
public struct GetCapacityResponse: Codable, Sendable, Hashable {
    /// Of the whole pool.
    public var capacityBytes: Int64
    /// What new volumes may still take.
    public var availableBytes: Int64

    public init(capacityBytes: Int64, availableBytes: Int64) {
        self.capacityBytes = capacityBytes
        self.availableBytes = availableBytes
    }
}

/// Takes back every publication that is not listed. CSI has no such verb; it is CNI's GC for volumes.
public struct CollectPublicationsRequest: Codable, Sendable, Hashable {
    /// All that is in use.
    public var valid: [UnpublishVolumeRequest]

    public init(valid: [UnpublishVolumeRequest]) { self.valid = valid }
}

public struct CollectPublicationsResponse: Codable, Sendable, Hashable {
    /// What has been taken back.
    public var removed: [UnpublishVolumeRequest]

    public init(removed: [UnpublishVolumeRequest]) { self.removed = removed }
}
