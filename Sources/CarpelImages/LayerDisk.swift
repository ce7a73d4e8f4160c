import CarpelCore

/// A layer as a read-only EROFS disk.
public struct LayerDisk: Sendable, Equatable {
    /// `sha256:…`, as in ``Image/Layer/diffID``.
    public let diffID: String
    public let path: String
    public let size: ByteCount
}
