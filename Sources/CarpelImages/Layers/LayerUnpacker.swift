import CarpelCore
import Glibc

/// Turns a layer blob into a read-only EROFS disk, in one pass and without making the layer's files on the host.
///
/// mkfs.erofs would need them there first: as root, with device nodes and setuid programs of whoever made the image,
/// and written twice.
struct LayerUnpacker {
    let limits: ImageLimits
    /// Called with the number of compressed bytes that have been read; throws to stop.
    let progress: (Int64) throws -> Void

    /// Writes the disk of the layer in `blob` to `disk`, a new file.
    ///
    /// - Throws: `.dataLoss`/`digestMismatch` if the layer's tar is not `diffID`, `.invalidArgument`/
    ///   `unsafeLayerEntry`, `.resourceExhausted`/`layerTooLarge` or `noSpace`, `.dataLoss`/`unreadableArchive`.
    func unpack(_ blob: File, diffID: Digest, to disk: File) throws {
        try withNamesAsBytes { try write(blob, diffID, disk) }
    }

    private func write(_ blob: File, _ diffID: Digest, _ disk: File) throws {
        let stream = try LayerStream(blob: blob, limit: limits.maxUnpackedLayerBytes, progress: progress)
        let archive = try ArchiveReader(.tar, what: "layer \(diffID)") { try stream.next() }
        var erofs = ErofsDisk(disk, limits: limits)
        var tree = LayerTree(limits: limits)
        var lastSize = 0

        while let entry = try archive.next() {
            if let target = entry.hardLink {
                try tree.link(entry.path, to: target)
                continue
            }
            lastSize = 0
            var node = try Self.node(entry)
            if case .file(_, let size) = node.content, size > 0 {
                lastSize = Int(size)
                let start = try erofs.reserve(size)
                try archive.forEachBlock { bytes, offset in
                    guard offset + UInt64(bytes.count) <= size else {
                        throw LayerTree.unsafe(entry.path, "it has more data than it says")
                    }
                    try erofs.write(bytes, start: start, offset: offset)
                }
                node.content = .file(start: start, size: size)
            }
            try tree.add(node, at: entry.path)
        }

        // Where more is missing than the padding, it is content.
        let block = LayerStream.blockSize
        guard stream.missingPadding == 0 || stream.missingPadding == (block - lastSize % block) % block else {
            throw CarpelError(
                .dataLoss, "unreadableArchive", "layer \(diffID) ends within a file; republish the image")
        }
        let actual = try stream.finish()
        guard actual == diffID else {
            throw CarpelError(
                .dataLoss, "digestMismatch",
                "a layer unpacks to \(actual), but the image's configuration says \(diffID); republish the image")
        }
        try erofs.finish(tree, identity: Self.identity(of: diffID))
    }

    /// The disk's UUID is the start of the layer's digest.
    private static func identity(of diffID: Digest) -> [UInt8] {
        let digits = Array(diffID.hex)
        return stride(from: 0, to: 32, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }

    private static func node(_ entry: ArchiveEntry) throws -> LayerNode {
        let content: LayerNode.Content
        switch entry.type {
        case S_IFREG: content = .file(start: 0, size: entry.size)
        case S_IFDIR: content = .directory([:])
        case S_IFLNK:
            let target = entry.symbolicLink
            guard !target.isEmpty && target.count < 4096 else {
                throw LayerTree.unsafe(entry.path, "a link's target has 1 to 4095 bytes")
            }
            content = .symbolicLink(target)
        case S_IFCHR, S_IFBLK: content = .device(Erofs.device(major: entry.major, minor: entry.minor))
        case S_IFIFO, S_IFSOCK: content = .none
        default: throw LayerTree.unsafe(entry.path, "it is of an unknown type")
        }
        guard let uid = UInt32(exactly: entry.uid), let gid = UInt32(exactly: entry.gid) else {
            throw LayerTree.unsafe(entry.path, "its owner \(entry.uid):\(entry.gid) does not fit 32 bits")
        }
        return LayerNode(
            mode: UInt16(truncatingIfNeeded: entry.type | entry.mode & 0o7777), uid: uid, gid: gid,
            modified: entry.modified,
            modifiedNanoseconds: UInt32(clamping: min(max(0, entry.modifiedNanoseconds), 999_999_999)),
            attributes: try attributes(entry), content: content)
    }

    /// - Throws: `unsafeLayerEntry` beyond what Linux takes: names of 255 bytes, 64 KiB in all.
    private static func attributes(_ entry: ArchiveEntry) throws -> [LayerNode.ExtendedAttribute] {
        // Overlayfs steers by its own attributes (redirects, metadata-only copies): only whiteouts may set them.
        let attributes = entry.extendedAttributes.filter { !$0.name.hasPrefix("trusted.overlay.") }
        let size = attributes.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 8 }
        guard size <= 1 << 16, attributes.allSatisfy({ $0.name.utf8.count <= 255 && $0.value.count <= 0xFFFF }) else {
            throw LayerTree.unsafe(entry.path, "it has more than 64 KiB of extended attributes")
        }
        return attributes.map { LayerNode.ExtendedAttribute(name: $0.name, value: $0.value) }
    }
}
