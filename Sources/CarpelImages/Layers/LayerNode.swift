import Glibc

/// A file of a layer: its metadata, and where its content is.
struct LayerNode {
    enum Content {
        case directory([LayerTree.Name: LayerTree.Index])
        /// Data of `size` bytes from block `start` of the disk.
        case file(start: UInt32, size: UInt64)
        case symbolicLink([UInt8])
        case device(UInt32)
        /// A fifo or socket.
        case none
    }

    struct ExtendedAttribute {
        let name: String
        let value: [UInt8]
    }

    /// Type and permissions, as in `st_mode`.
    var mode: UInt16
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var modified: Int64 = 0
    var modifiedNanoseconds: UInt32 = 0
    var attributes: [ExtendedAttribute] = []
    var content: Content

    /// A directory that no entry describes.
    static let implicitDirectory = LayerNode(mode: UInt16(S_IFDIR) | 0o755, content: .directory([:]))
    /// Overlayfs hides what a character device 0/0 stands for.
    static let whiteout = LayerNode(mode: UInt16(S_IFCHR), content: .device(0))

    var isDirectory: Bool { mode_t(mode) & S_IFMT == S_IFDIR }

    var isWhiteout: Bool {
        if case .device(0) = content { mode_t(mode) & S_IFMT == S_IFCHR } else { false }
    }

    /// Entries of a directory; empty for anything else.
    var children: [LayerTree.Name: LayerTree.Index] {
        get { if case .directory(let children) = content { children } else { [:] } }
        _modify {
            var children: [LayerTree.Name: LayerTree.Index] = [:]
            let isDirectory = isDirectory
            // Taken out while it is changed, so that the dictionary is not copied.
            if case .directory(let own) = content {
                children = own
                content = .none
            }
            defer { if isDirectory { content = .directory(children) } }
            yield &children
        }
    }

    private static let opaqueName = "trusted.overlay.opaque"

    var isOpaque: Bool { attributes.contains { $0.name == Self.opaqueName } }

    /// Makes overlayfs show nothing of the lower layers in this directory.
    mutating func setOpaque() {
        guard !isOpaque else { return }
        attributes.append(ExtendedAttribute(name: Self.opaqueName, value: Array("y".utf8)))
    }

    /// What it takes in memory beside its entry, roughly.
    var metadataBytes: Int {
        var count = attributes.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 32 }
        if case .symbolicLink(let target) = content { count += target.count }
        return count
    }
}
