import CarpelCore

/// What the store takes of its file system. Source: CRI, `FilesystemUsage`.
public struct StoreUsage: Sendable, Equatable {
    public let used: ByteCount
    public let inodes: Int64
    /// Where the file system of the store is mounted.
    public let mountpoint: String
}
