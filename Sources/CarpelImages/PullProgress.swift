import CarpelCore

/// How far one layer of a pull has come.
public struct PullProgress: Sendable, Equatable {
    public enum Phase: String, Sendable {
        case waiting
        case downloading
        case unpacking
        case done
    }

    /// Of the compressed layer.
    public let digest: String
    public let phase: Phase
    /// Compressed bytes that have been downloaded or, in ``Phase/unpacking``, read.
    public let done: ByteCount
    public let total: ByteCount
}
