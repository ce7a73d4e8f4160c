import CarpelCore
import Foundation

/// Disks of empty volumes with a size limit: ext4 on a sparse file of that length.
enum EmptyVolumes {
    static let fileSystem = "ext4"
    /// Below this mkfs.ext4 has no room for its own structures.
    static let leastSize = ByteCount.mebibytes(1)

    static func make(at path: String, size: ByteCount) async throws {
        try await ScratchDisks.format(path, size: size)
    }
}
