import Glibc

/// Inodes, extended attributes and directories in EROFS's on-disk form.
///
/// Source: Linux, fs/erofs/erofs_fs.h: `erofs_inode_extended`, `erofs_xattr_ibody_header`, `erofs_xattr_entry`,
/// `erofs_dirent`.
enum Erofs {
    static let blockSize = 4096
    /// Node ids count slots of 32 bytes from the start of the metadata.
    static let slotSize = 32
    static let inodeSize = 64

    enum DataLayout: UInt16 {
        /// All data in blocks of its own.
        case plain = 0
        /// The last, partial block right behind the inode and its attributes.
        case inline = 2
    }

    static func blocks(_ size: UInt64) -> UInt64 { (size + UInt64(blockSize) - 1) / UInt64(blockSize) }

    static func inode(
        _ node: LayerNode, layout: DataLayout, size: UInt64, union: UInt32, attributes: [UInt8], number: UInt32,
        links: UInt32
    ) -> [UInt8] {
        var inode = ByteWriter()
        inode.append(1 | layout.rawValue << 1)
        // Header of 12 bytes, then units of 4, counted from 1.
        inode.append(UInt16(attributes.isEmpty ? 0 : (attributes.count - 12) / 4 + 1))
        inode.append(node.mode)
        inode.append(UInt16(0))
        inode.append(size)
        inode.append(union)
        inode.append(number)
        inode.append(node.uid)
        inode.append(node.gid)
        inode.append(node.modified)
        inode.append(node.modifiedNanoseconds)
        inode.append(links)
        inode.pad(to: inodeSize)
        inode.append(attributes)
        return inode.bytes
    }

    /// Namespaces that EROFS and Linux know, longest match first, and their numbers.
    private static let attributeNamespaces: [(prefix: String, index: UInt8)] = [
        ("system.posix_acl_access", 2), ("system.posix_acl_default", 3), ("trusted.", 4), ("security.", 6),
        ("user.", 1),
    ]

    /// The attributes of an inode, without those in a namespace that Linux would not set either.
    static func attributes(_ attributes: [LayerNode.ExtendedAttribute]) -> [UInt8] {
        var body = ByteWriter()
        for attribute in attributes {
            guard let (prefix, index) = attributeNamespaces.first(where: { attribute.name.hasPrefix($0.prefix) })
            else { continue }
            let name = attribute.name.utf8.dropFirst(prefix.utf8.count)
            guard name.isEmpty == (index == 2 || index == 3) else { continue }
            body.append(UInt8(name.count))
            body.append(index)
            body.append(UInt16(attribute.value.count))
            body.append(name)
            body.append(attribute.value)
            body.align(to: 4)
        }
        return body.bytes.isEmpty ? [] : Array(repeating: 0, count: 12) + body.bytes
    }

    /// A directory's names in the order that its lookup needs, cut into blocks.
    struct DirectoryLayout {
        var blocks: [ArraySlice<(name: LayerTree.Name, index: LayerTree.Index)>] = []
        /// The last block ends with its last name.
        var size = 0
    }

    static func layOut(_ entries: [(name: LayerTree.Name, index: LayerTree.Index)]) -> DirectoryLayout {
        let sorted = entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        var layout = DirectoryLayout()
        var start = 0
        var used = 0
        for (position, entry) in sorted.enumerated() {
            let size = direntSize + entry.name.count
            if used + size > blockSize {
                layout.blocks.append(sorted[start..<position])
                start = position
                used = 0
            }
            used += size
        }
        layout.size = layout.blocks.count * blockSize + used
        layout.blocks.append(sorted[start...])
        return layout
    }

    private static let direntSize = 12

    /// - Parameter entry: node id and file type of a node.
    static func serialise(
        _ directory: DirectoryLayout, entry: (LayerTree.Index) -> (nid: UInt64, type: UInt8)
    ) -> [UInt8] {
        var data = ByteWriter()
        for block in directory.blocks {
            data.align(to: blockSize)
            var nameOffset = block.count * direntSize
            for item in block {
                let (nid, type) = entry(item.index)
                data.append(nid)
                data.append(UInt16(nameOffset))
                data.append(type)
                data.append(UInt8(0))
                nameOffset += item.name.count
            }
            for item in block { data.append(item.name) }
        }
        return data.bytes
    }

    static func fileType(_ mode: UInt16) -> UInt8 {
        switch mode_t(mode) & S_IFMT {
        case S_IFREG: 1
        case S_IFDIR: 2
        case S_IFCHR: 3
        case S_IFBLK: 4
        case S_IFIFO: 5
        case S_IFSOCK: 6
        case S_IFLNK: 7
        default: 0
        }
    }

    /// Linux's `new_encode_dev`.
    static func device(major: UInt32, minor: UInt32) -> UInt32 {
        (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & 0xFFF00) << 12
    }
}
