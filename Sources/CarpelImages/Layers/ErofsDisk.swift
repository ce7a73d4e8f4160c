import CarpelCore

/// Writes an uncompressed EROFS file system, as data comes.
///
/// Layout: superblock; file data, each file from a block boundary on, so that it is read and mapped without a copy;
/// inodes with their attributes, links and small directories; large directories. A hole stays a hole of the disk's
/// file. The same layer always gives the same bytes.
struct ErofsDisk: ~Copyable {
    private let file: File
    private let limits: ImageLimits
    private var nextBlock: UInt64 = 1
    private var written = 0

    init(_ file: File, limits: ImageLimits) {
        self.file = file
        self.limits = limits
    }

    /// Reserves the blocks of a file of `size` bytes. Its content is zero where nothing is written.
    mutating func reserve(_ size: UInt64) throws -> UInt32 {
        let limit = UInt64(limits.maxUnpackedLayerBytes.bytes)
        let used = nextBlock * UInt64(Erofs.blockSize)
        guard size <= limit, used + size <= limit, let start = UInt32(exactly: nextBlock) else {
            throw CarpelError(
                .resourceExhausted, "layerTooLarge",
                "a layer unpacks to more than \(limits.maxUnpackedLayerBytes)")
        }
        nextBlock += Erofs.blocks(size)
        return start
    }

    /// Writes at `offset` of the file that starts at block `start`.
    mutating func write(_ bytes: UnsafeRawBufferPointer, start: UInt32, offset: UInt64) throws {
        if written >> 26 != (written + bytes.count) >> 26 {
            try FileSystem.requireSpace(for: 1 << 26, reserve: limits.minimumFreeBytes, at: file.path)
        }
        written += bytes.count
        try file.write(bytes, at: Int64(start) * Int64(Erofs.blockSize) + Int64(offset))
    }

    /// Writes the metadata of `tree` and makes the disk complete and durable.
    ///
    /// - Parameter identity: becomes the volume's UUID.
    mutating func finish(_ tree: LayerTree, identity: [UInt8]) throws {
        let metadata = ErofsMetadata(tree, firstBlock: nextBlock)
        nextBlock = metadata.endBlock
        guard let blocks = UInt32(exactly: nextBlock) else {
            throw CarpelError(.resourceExhausted, "layerTooLarge", "a layer's disk has too many blocks")
        }
        let file = file
        try metadata.write { bytes, offset in
            try bytes.withUnsafeBytes { try file.write($0, at: Int64(offset)) }
        }
        try file.truncate(to: Int64(blocks) * Int64(Erofs.blockSize))
        let superblock = metadata.superblock(blocks: blocks, identity: identity)
        try superblock.withUnsafeBytes { try file.write($0, at: 1024) }
        try file.synchronize()
    }
}
