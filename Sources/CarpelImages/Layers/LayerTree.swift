import CarpelCore

/// The files of one layer while it is unpacked: a tree in memory, to which hostile names can do nothing.
///
/// No name of the layer ever reaches the host's file system. A path is walked from the root, component by component;
/// `..` and a component that is not a directory are refused, so that a link is never followed.
struct LayerTree {
    /// A node's place in ``nodes``.
    typealias Index = Int
    typealias Name = [UInt8]

    static let root: Index = 0

    private(set) var nodes: [LayerNode]
    private let limits: ImageLimits
    private var metadataBytes: Int64 = 0

    init(limits: ImageLimits) {
        self.limits = limits
        nodes = [.implicitDirectory]
    }

    /// Adds an entry of the layer's tar, or applies it if it is a whiteout.
    ///
    /// A later entry of the same path replaces an earlier one; a directory keeps what is in it.
    mutating func add(_ node: LayerNode, at path: Name) throws {
        guard let (parent, name) = try place(of: path) else {
            guard node.isDirectory else { throw Self.unsafe(path, "the layer's root must be a directory") }
            try replaceMetadata(of: Self.root, by: node)
            return
        }
        if try whiteOut(name, in: parent, path) { return }
        guard let existing = nodes[parent].children[name] else {
            try insert(node, name, in: parent)
            return
        }
        if nodes[existing].isDirectory && node.isDirectory {
            try replaceMetadata(of: existing, by: node)
            return
        }
        var node = node
        // A directory that the lower layers lose and this layer makes anew shows nothing of theirs.
        if nodes[existing].isWhiteout && node.isDirectory { node.setOpaque() }
        try insert(node, name, in: parent)
    }

    /// Adds another name for a file that the same layer has.
    mutating func link(_ path: Name, to target: Name) throws {
        guard let (parent, name) = try place(of: path), let (targetParent, targetName) = try place(of: target) else {
            throw Self.unsafe(path, "a hard link cannot be or name the root")
        }
        if try whiteOut(name, in: parent, path) { return }
        guard let node = nodes[targetParent].children[targetName], !nodes[node].isDirectory else {
            throw Self.unsafe(path, "its hard link's target \(Self.text(target)) is no file of the same layer")
        }
        try charge(name.count)
        nodes[parent].children[name] = node
    }

    /// The directory that holds `path`'s last component, made if it is missing; nil for the root itself.
    private mutating func place(of path: Name) throws -> (parent: Index, name: Name)? {
        guard path.count < 4096 else { throw Self.unsafe(Name(path.prefix(64)), "it has more than 4095 bytes") }
        var components = path.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
        for component in components {
            guard !component.elementsEqual("..".utf8) else { throw Self.unsafe(path, "\"..\" could leave the root") }
            guard component.count <= 255, !component.contains(0) else {
                throw Self.unsafe(path, "a name has at most 255 bytes, none of them zero")
            }
        }
        guard let name = components.popLast() else { return nil }
        var directory = Self.root
        for component in components {
            directory = try child(Name(component), of: directory, path)
        }
        return (directory, Name(name))
    }

    private mutating func child(_ name: Name, of parent: Index, _ path: Name) throws -> Index {
        var directory = LayerNode.implicitDirectory
        if let existing = nodes[parent].children[name] {
            if nodes[existing].isDirectory { return existing }
            guard nodes[existing].isWhiteout else {
                throw Self.unsafe(path, "\(Self.text(name)) is a link or file, which is never followed")
            }
            directory.setOpaque()
        }
        return try insert(directory, name, in: parent)
    }

    @discardableResult
    private mutating func insert(_ node: LayerNode, _ name: Name, in parent: Index) throws -> Index {
        guard nodes.count < limits.maxLayerEntries else {
            throw CarpelError(
                .resourceExhausted, "layerTooLarge", "a layer has more than \(limits.maxLayerEntries) files")
        }
        try charge(name.count + node.metadataBytes)
        nodes.append(node)
        nodes[parent].children[name] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func replaceMetadata(of index: Index, by node: LayerNode) throws {
        try charge(node.metadataBytes)
        let old = nodes[index]
        nodes[index] = node
        nodes[index].content = old.content
        if old.isOpaque { nodes[index].setOpaque() }
    }

    private mutating func charge(_ count: Int) throws {
        metadataBytes += Int64(count)
        guard metadataBytes <= limits.maxLayerMetadataBytes.bytes else {
            throw CarpelError(
                .resourceExhausted, "layerTooLarge",
                "a layer has more than \(limits.maxLayerMetadataBytes) of names, links and extended attributes")
        }
    }

    static func unsafe(_ path: Name, _ why: String) -> CarpelError {
        CarpelError(
            .invalidArgument, "unsafeLayerEntry",
            "the layer's entry \(text(path)) is refused: \(why). Rebuild the image without it")
    }

    static func text(_ path: Name) -> String { "\"\(String(decoding: path, as: UTF8.self))\"" }
}

// MARK: - Whiteouts

extension LayerTree {
    private static let whiteoutPrefix = Array(".wh.".utf8)
    private static let opaqueMarker = Array(".wh..wh..opq".utf8)
    private static let reservedPrefix = Array(".wh..wh.".utf8)

    /// Turns a whiteout file into what overlayfs understands. False if `name` is none.
    ///
    /// Source: OCI image spec, layer.md, "Whiteouts"; Linux, Documentation/filesystems/overlayfs.rst,
    /// "whiteouts and opaque directories".
    private mutating func whiteOut(_ name: Name, in parent: Index, _ path: Name) throws -> Bool {
        guard name.starts(with: Self.whiteoutPrefix) else { return false }
        if name == Self.opaqueMarker {
            nodes[parent].setOpaque()
            return true
        }
        // Bookkeeping of aufs, which no reader of layers restores.
        if name.starts(with: Self.reservedPrefix) { return true }
        let hidden = Name(name.dropFirst(Self.whiteoutPrefix.count))
        guard !hidden.isEmpty, !hidden.elementsEqual(".".utf8), !hidden.elementsEqual("..".utf8) else {
            throw Self.unsafe(path, "it hides nothing that could exist")
        }
        // Whiteouts apply to lower layers alone: what this layer adds under the same name stays.
        if let own = nodes[parent].children[hidden] {
            if nodes[own].isDirectory { nodes[own].setOpaque() }
        } else {
            try insert(.whiteout, hidden, in: parent)
        }
        return true
    }
}
