/// Storage of the pod that its containers share.
public struct GuestVolume: Codable, Sendable, Equatable {
    public enum Source: Codable, Sendable, Equatable {
        /// The file system (`ext4` or `xfs`) on a disk; it grows to the disk's length whenever it is mounted.
        case disk(serial: String, fileSystem: String)
        /// A disk as it is, for containers' devices.
        case block(serial: String)
        /// The machine's memory: at most so many bytes, or half of the memory.
        case memory(sizeLimit: Int64?)
        /// A directory on the pod's scratch disk, empty at first.
        case scratch
    }

    /// 1 to 128 letters, digits, `-`, `_` and `.`.
    public var name: String
    public var source: Source
    /// For every container, whatever its mounts say.
    public var readOnly: Bool

    public init(name: String, source: Source, readOnly: Bool = false) {
        self.name = name
        self.source = source
        self.readOnly = readOnly
    }
}

/// What a volume holds; of a block volume only its capacity is known.
public struct VolumeUsage: Codable, Sendable, Equatable {
    public var capacityBytes: UInt64
    public var usedBytes: UInt64
    /// For those who are not root: less than the difference of the two where the file system keeps a reserve.
    public var availableBytes: UInt64
    /// 0 where the file system has no fixed number of them.
    public var inodes: UInt64
    public var usedInodes: UInt64

    public init(
        capacityBytes: UInt64, usedBytes: UInt64, availableBytes: UInt64, inodes: UInt64, usedInodes: UInt64
    ) {
        self.capacityBytes = capacityBytes
        self.usedBytes = usedBytes
        self.availableBytes = availableBytes
        self.inodes = inodes
        self.usedInodes = usedInodes
    }
}
