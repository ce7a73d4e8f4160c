// Carpel's own messages about volumes. The words are those of the Container Storage Interface.

/// What CRI has no field for.
public struct PodSandboxExtension: ProtoMessage {
    /// What the pod's containers can mount.
    @Field public var volumes: [PodVolume]
    /// The first is the pod's own: its addresses are the pod's. Empty: the network `default`.
    @Field public var networks: [PodNetwork]
    public init() {}
}

/// A volume of a pod: an empty one that ends with the pod, or one of a storage plugin that outlives it.
public struct PodVolume: ProtoMessage {
    /// What the containers' mounts call it.
    @Field public var name: String
    @Field public var emptyDir: EmptyDirVolume?
    @Field public var persistent: PersistentVolume?
    public init() {}
}

public struct EmptyDirVolume: ProtoMessage {
    public enum Medium: String, ProtoEnum {
        /// The node's disk.
        case DISK
        /// The pod's memory.
        case MEMORY
    }
    @Field public var medium: Medium
    /// The most that it can hold; 0: what the pod's scratch disk or, in memory, half of the machine holds.
    @Field public var sizeLimitBytes: Int64
    public init() {}
}

public enum VolumeAccessMode: String, ProtoEnum {
    /// One pod, which may write.
    case SINGLE_WRITER
    /// Any number of pods, none of which writes.
    case MULTI_READER
}

public struct PersistentVolume: ProtoMessage {
    /// Empty: the configuration's `storage`.
    @Field public var plugin: String
    /// The volume's id or name.
    @Field public var volume: String
    @Field public var accessMode: VolumeAccessMode
    public init() {}
}

/// Mounts a volume of the pod in the place of a folder of the node.
public struct MountExtension: ProtoMessage {
    /// The name of one of the pod's volumes.
    @Field public var volume: String
    /// Below the volume's root; made if it is not there.
    @Field public var subPath: String
    public init() {}
}

/// Gives a container a block volume of the pod in the place of a device of the node.
public struct DeviceExtension: ProtoMessage {
    /// The name of one of the pod's volumes.
    @Field public var volume: String
    public init() {}
}

public enum VolumeMode: String, ProtoEnum {
    /// A folder.
    case FILESYSTEM
    /// A device node.
    case BLOCK
}

/// A volume of a storage plugin.
public struct VolumeInfo: ProtoMessage {
    @Field public var id: String
    @Field public var name: String
    @Field public var plugin: String
    @Field public var capacityBytes: Int64
    /// What it takes on the node; -1: not known.
    @Field public var allocatedBytes: Int64
    @Field public var mode: VolumeMode
    @Field public var parameters: [String: String]
    @Field public var sourceVolumeId: String
    @Field public var sourceSnapshotId: String
    @Field public var createdAt: Int64
    /// Ids of the pods that have it.
    @Field public var podSandboxIds: [String]
    public init() {}
}

public struct CreateVolumeRequest: ProtoMessage {
    @Field public var name: String
    @Field public var plugin: String
    /// 0: that of the source, or the plugin's default.
    @Field public var capacityBytes: Int64
    @Field public var mode: VolumeMode
    /// The plugin's own settings.
    @Field public var parameters: [String: String]
    /// The id or name of a volume to copy.
    @Field public var sourceVolume: String
    /// The id or name of a snapshot to copy, in the place of a volume.
    @Field public var sourceSnapshot: String
    public init() {}
}

public struct CreateVolumeResponse: ProtoMessage {
    @Field public var volume: VolumeInfo?
    public init() {}
}

/// `volume` is an id or a name, `plugin` empty for the configuration's `storage`, as in all that is asked of volumes.
public struct RemoveVolumeRequest: ProtoMessage {
    @Field public var volume: String
    @Field public var plugin: String
    public init() {}
}

/// Makes a volume larger, and the file system in it too, where a pod has it at once.
public struct ExpandVolumeRequest: ProtoMessage {
    @Field public var volume: String
    @Field public var plugin: String
    @Field public var capacityBytes: Int64
    public init() {}
}

public struct ExpandVolumeResponse: ProtoMessage {
    @Field public var volume: VolumeInfo?
    public init() {}
}

public struct ListVolumesRequest: ProtoMessage {
    /// Empty: those of every storage plugin.
    @Field public var plugin: String
    public init() {}
}

/// A pool of a storage plugin.
public struct StoragePool: ProtoMessage {
    @Field public var plugin: String
    @Field public var capacityBytes: Int64
    @Field public var availableBytes: Int64
    /// Why the plugin could not be asked; its volumes are missing then.
    @Field public var message: String
    public init() {}
}

public struct ListVolumesResponse: ProtoMessage {
    @Field public var volumes: [VolumeInfo]
    @Field public var pools: [StoragePool]
    public init() {}
}

public struct VolumeStatusRequest: ProtoMessage {
    @Field public var volume: String
    @Field public var plugin: String
    public init() {}
}

public struct VolumeStatusResponse: ProtoMessage {
    @Field public var volume: VolumeInfo?
    /// What the file system in it says, where a pod has it.
    @Field public var usage: VolumeUsage?
    public init() {}
}

public struct VolumeUsage: ProtoMessage {
    @Field public var capacityBytes: Int64
    @Field public var usedBytes: Int64
    @Field public var inodes: Int64
    @Field public var usedInodes: Int64
    public init() {}
}

public struct VolumeSnapshotInfo: ProtoMessage {
    @Field public var id: String
    @Field public var name: String
    @Field public var plugin: String
    @Field public var sourceVolumeId: String
    @Field public var capacityBytes: Int64
    @Field public var createdAt: Int64
    public init() {}
}

/// Keeps what a volume holds now; a pod that has it waits with its writes meanwhile.
public struct CreateVolumeSnapshotRequest: ProtoMessage {
    @Field public var volume: String
    @Field public var plugin: String
    @Field public var name: String
    public init() {}
}

public struct CreateVolumeSnapshotResponse: ProtoMessage {
    @Field public var snapshot: VolumeSnapshotInfo?
    public init() {}
}

public struct ListVolumeSnapshotsRequest: ProtoMessage {
    @Field public var plugin: String
    /// Empty: those of every volume.
    @Field public var volume: String
    public init() {}
}

public struct ListVolumeSnapshotsResponse: ProtoMessage {
    /// The oldest first.
    @Field public var snapshots: [VolumeSnapshotInfo]
    public init() {}
}

public struct RemoveVolumeSnapshotRequest: ProtoMessage {
    /// An id or a name.
    @Field public var snapshot: String
    @Field public var plugin: String
    public init() {}
}

/// Gives a volume that no pod has the content of one of its snapshots.
public struct RestoreVolumeRequest: ProtoMessage {
    @Field public var volume: String
    @Field public var plugin: String
    /// An id or a name.
    @Field public var snapshot: String
    public init() {}
}

public struct RestoreVolumeResponse: ProtoMessage {
    @Field public var volume: VolumeInfo?
    public init() {}
}
