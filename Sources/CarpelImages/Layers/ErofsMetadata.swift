/// Where each inode and directory of a layer stands on its disk, and their bytes.
struct ErofsMetadata {
    private struct Placement {
        let node: LayerTree.Index
        /// In bytes from the start of the metadata.
        var offset = 0
        var attributes: [UInt8]
        var layout = Erofs.DataLayout.plain
        /// First block of data that is not behind the inode.
        var block: UInt32 = 0
        var directory: Erofs.DirectoryLayout?
    }

    private let tree: LayerTree
    private let firstBlock: UInt64
    private var placements: [Placement] = []
    /// By node; nil for those that a later entry replaced.
    private var placementOfNode: [Int?]
    private var links: [UInt32]
    private(set) var endBlock: UInt64 = 0

    init(_ tree: LayerTree, firstBlock: UInt64) {
        self.tree = tree
        self.firstBlock = firstBlock
        placementOfNode = Array(repeating: nil, count: tree.nodes.count)
        links = Array(repeating: 0, count: tree.nodes.count)
        collect()
        place()
    }

    /// Finds what is reachable, parents first, and lays out the directories.
    private mutating func collect() {
        var queue: [(node: LayerTree.Index, parent: LayerTree.Index)] = [(LayerTree.root, LayerTree.root)]
        var next = 0
        while next < queue.count {
            let (index, parent) = queue[next]
            next += 1
            let node = tree.nodes[index]
            if !node.isDirectory { links[index] += 1 }
            if placementOfNode[index] != nil { continue }
            placementOfNode[index] = placements.count
            var placement = Placement(node: index, attributes: Erofs.attributes(node.attributes))
            if node.isDirectory {
                // One from its parent and one from its own "."; the root is its own parent.
                links[index] += 2
                if index != parent { links[parent] += 1 }
                var entries = node.children.map { (name: $0.key, index: $0.value) }
                queue.append(contentsOf: entries.sorted { $0.index < $1.index }.map { ($0.index, index) })
                entries.append((Array(".".utf8), index))
                entries.append((Array("..".utf8), parent))
                placement.directory = Erofs.layOut(entries)
            }
            placements.append(placement)
        }
    }

    /// Gives every inode its offset and every large directory or link its blocks.
    private mutating func place() {
        // Slot 0 stays empty, since a file number of 0 means "none" to some programs.
        var offset = Erofs.inodeSize
        var blocks: [(placement: Int, count: UInt64)] = []
        for index in placements.indices {
            let head = Erofs.inodeSize + placements[index].attributes.count
            let size = metadataSize(placements[index])
            let tail = size % Erofs.blockSize
            if tail > 0 && head + tail <= Erofs.blockSize {
                placements[index].layout = .inline
                // The tail must not cross into another block.
                let tailStart = (offset + head) % Erofs.blockSize
                if tailStart + tail > Erofs.blockSize { offset = Self.align(offset, Erofs.blockSize) }
            }
            placements[index].offset = offset
            let inline = placements[index].layout == .inline
            offset = Self.align(offset + head + (inline ? tail : 0), Erofs.inodeSize)
            let count = inline ? size / Erofs.blockSize : Int(Erofs.blocks(UInt64(size)))
            if count > 0 { blocks.append((index, UInt64(count))) }
        }
        endBlock = firstBlock + Erofs.blocks(UInt64(offset))
        for (index, count) in blocks {
            placements[index].block = UInt32(truncatingIfNeeded: endBlock)
            endBlock += count
        }
    }

    private static func align(_ offset: Int, _ unit: Int) -> Int { (offset + unit - 1) / unit * unit }

    /// Bytes of a directory or link; a file's data has been written before.
    private func metadataSize(_ placement: Placement) -> Int {
        if let directory = placement.directory { return directory.size }
        if case .symbolicLink(let target) = tree.nodes[placement.node].content { return target.count }
        return 0
    }

    /// Calls `output` with bytes and their offset on the disk.
    func write(to output: ([UInt8], UInt64) throws -> Void) throws {
        var buffer = ByteWriter()
        var bufferStart = 0
        for (number, placement) in placements.enumerated() {
            buffer.pad(to: placement.offset - bufferStart)
            if buffer.bytes.count > 1 << 20 {
                try output(buffer.bytes, base + UInt64(bufferStart))
                bufferStart += buffer.bytes.count
                buffer = ByteWriter()
            }
            let data = data(of: placement)
            buffer.append(inode(placement, number: UInt32(number + 1), dataSize: UInt64(data.count)))
            let inline = placement.layout == .inline ? data.count % Erofs.blockSize : 0
            buffer.append(data.suffix(inline))
            if data.count > inline {
                try output(Array(data.dropLast(inline)), UInt64(placement.block) * UInt64(Erofs.blockSize))
            }
        }
        try output(buffer.bytes, base + UInt64(bufferStart))
    }

    private var base: UInt64 { firstBlock * UInt64(Erofs.blockSize) }

    private func data(of placement: Placement) -> [UInt8] {
        if let directory = placement.directory {
            return Erofs.serialise(directory) { (nid(of: $0), Erofs.fileType(tree.nodes[$0].mode)) }
        }
        if case .symbolicLink(let target) = tree.nodes[placement.node].content { return target }
        return []
    }

    private func nid(of node: LayerTree.Index) -> UInt64 {
        UInt64(placementOfNode[node].map { placements[$0].offset / Erofs.slotSize } ?? 0)
    }

    private func inode(_ placement: Placement, number: UInt32, dataSize: UInt64) -> [UInt8] {
        let node = tree.nodes[placement.node]
        let (size, union) =
            switch node.content {
            case .file(let start, let size): (size, start)
            case .device(let device): (0, device)
            case .directory, .symbolicLink, .none: (dataSize, placement.block)
            }
        return Erofs.inode(
            node, layout: placement.layout, size: size, union: union, attributes: placement.attributes,
            number: number, links: links[placement.node])
    }

    /// Source: Linux, fs/erofs/erofs_fs.h, `erofs_super_block`.
    func superblock(blocks: UInt32, identity: [UInt8]) -> [UInt8] {
        var block = ByteWriter()
        block.append(UInt32(0xE0F5_E1E2))
        block.append(UInt32(0))  // Checksum, with its feature bit off.
        block.append(UInt32(2))  // Compatible features: times are of modification.
        block.append(UInt8(12))  // Block size, as a power of two.
        block.append(UInt8(0))
        block.append(UInt16(truncatingIfNeeded: nid(of: LayerTree.root)))
        block.append(UInt64(placements.count))
        block.append(UInt64(0))  // Time of build: the same for every build.
        block.append(UInt32(0))
        block.append(blocks)
        block.append(UInt32(truncatingIfNeeded: firstBlock))
        block.append(UInt32(0))  // No shared attributes.
        block.append(identity.prefix(16))
        block.pad(to: 128)
        return block.bytes
    }
}
