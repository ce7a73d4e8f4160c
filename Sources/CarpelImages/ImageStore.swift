import CarpelCore
import Logging

/// The images of this node: pulled from registries, kept as an OCI image layout, their layers as EROFS disks.
///
/// One process at a time uses a root. Names are changed in the actor, one after the other; downloads and unpacking run
/// outside it, and two requests for the same blob or disk share the work.
public actor ImageStore {
    let content: ContentStore
    let configuration: ImagesConfiguration
    let logger: Logger
    let disks: DiskBuilder
    let downloads = SharedWork<Digest, Int64, Bool>()
    let downloadGate: Gate
    var names: NameIndex
    /// What work under way needs: garbage collection leaves it alone.
    var pins = PinnedDigests()
    /// Imports under way. Which content they will need is not known before they have read it.
    var imports = 0
    private var connections: [String: HTTPConnection] = [:]
    /// Documents by target: they never change.
    private var known: [Digest: StoredImage] = [:]

    /// Opens the store, making it if it is not there, and removes what a killed process left half-done.
    ///
    /// - Parameter root: an absolute path; its parents must be passable for QEMU's user, which reads the disks.
    public init(root: String, configuration: ImagesConfiguration, logger: Logger) async throws {
        content = try ContentStore(root: root)
        self.configuration = configuration
        self.logger = logger
        disks = DiskBuilder(content, configuration, logger: logger)
        downloadGate = Gate(limit: configuration.parallelDownloads)
        names = try NameIndex(content)
        for path in try NameIndex.setAside(in: content) {
            logger.error(
                "an index of images could not be read and was set aside; nothing is collected until it is moved away",
                metadata: ["path": "\(path)"])
        }
    }

    /// Indexes that could not be read and were set aside. While there is one, no content is collected.
    public func setAside() throws -> [String] { try NameIndex.setAside(in: content) }

    /// All images for this node's platform. An image whose documents are damaged is left out, with a warning.
    public func list() throws -> [Image] {
        var namesByID: [Digest: (image: StoredImage, names: [String])] = [:]
        for entry in names.entries {
            do {
                let stored = try stored(entry)
                namesByID[stored.id, default: (stored, [])].names += NameIndex.name(of: entry).map { [$0] } ?? []
            } catch {
                logger.warning("image is damaged", metadata: ["digest": "\(entry.digest)", "error": "\(error)"])
            }
        }
        return namesByID.values.map { $0.image.image(names: $0.names) }.sorted { $0.id < $1.id }
    }

    /// The image that `reference` names: an id (`sha256:…`), the start of one, or a tag or digest reference.
    ///
    /// - Throws: `.invalidArgument`/`ambiguousReference` if several ids start so.
    public func image(_ reference: String) throws -> Image? {
        let images = try list()
        if let image = images.first(where: { $0.id == reference }) { return image }
        if let name = try? ImageReference(reference) {
            let text = name.description
            if let image = images.first(where: { $0.repoTags.contains(text) || $0.repoDigests.contains(text) }) {
                return image
            }
        }
        let prefix = reference.hasPrefix("sha256:") ? reference.dropFirst(7) : reference[...]
        guard prefix.utf8.count >= 3, prefix.utf8.allSatisfy(\.isLowercaseHexDigit) else {
            // Says why, if it is no reference either.
            if !reference.hasPrefix("sha256:") { _ = try ImageReference(reference) }
            return nil
        }
        let matches = images.filter { $0.id.dropFirst(7).hasPrefix(prefix) }
        guard matches.count < 2 else {
            throw CarpelError(
                .invalidArgument, "ambiguousReference",
                "\(matches.count) image ids start with \(prefix); write more of it")
        }
        return matches.first
    }

    /// The image's layers as disks, bottom first; those that are missing are made again from their blobs.
    ///
    /// A layer that an image has twice comes once, at its upper place: it hides all that the lower one shows, and
    /// overlayfs takes no directory twice.
    ///
    /// They stay as long as the image has a name or ``remove(_:inUse:)`` is told that they are in use: record the use
    /// before asking for them.
    /// - Throws: `.notFound`/`contentMissing` if a layer's blob is gone too, or as unpacking does.
    public func layerDisks(of image: Image) async throws -> [LayerDisk] {
        let needed = try image.layers.flatMap { [$0.descriptor.digest, try Digest($0.diffID)] }
        pins.add(needed)
        defer { pins.remove(needed) }
        var disks: [LayerDisk] = []
        var seen: Set<String> = []
        for layer in image.layers.reversed() where seen.insert(layer.diffID).inserted {
            disks.append(try await self.disks.disk(of: layer) { _ in })
        }
        return disks.reversed()
    }

    // MARK: - For the verbs in other files

    func stored(_ target: Descriptor) throws -> StoredImage {
        if let stored = known[target.digest] { return stored }
        let name = NameIndex.name(of: target) ?? target.digest.description
        let stored = try StoredImage(target, name: name, limits: configuration.limits) {
            try content.document($0.digest, limit: configuration.limits.maxDocumentBytes)
        }
        known[target.digest] = stored
        return stored
    }

    func forget(_ target: Digest) { known[target] = nil }

    func connection(to registry: String) -> HTTPConnection {
        if let connection = connections[registry] { return connection }
        let endpoint = RegistryEndpoint(registry, configuration)
        let connection = HTTPConnection(endpoint.configuration, configuration.transfer)
        connections[registry] = connection
        return connection
    }

    /// Gives a stored image its names, durably, and returns it with all that it has.
    func register(_ stored: StoredImage, names newNames: [String]) throws -> Image {
        var changed = names
        if newNames.isEmpty { changed.set(nil, to: stored.target) }
        for name in newNames { changed.set(name, to: stored.target) }
        try changed.save(content)
        names = changed
        known[stored.target.digest] = stored
        guard let image = try list().first(where: { $0.id == stored.id.description }) else {
            throw CarpelError(.internal, "contentMissing", "\(stored.id) vanished while it was registered")
        }
        return image
    }
}
