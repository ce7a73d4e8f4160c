import CarpelCore
import Foundation
import Glibc

/// Finds the images of a staged archive, and moves their content into the store.
struct ImportedImages: Sendable {
    private var archive: StagedArchive
    private let what: String
    private let content: ContentStore
    private let limits: ImageLimits
    /// What has come into the store, and is nobody's before its image has a name.
    private(set) var moved: Set<Digest> = []

    /// An image of the archive that runs on this node, and the names that the archive gives it.
    struct Found: Sendable {
        let stored: StoredImage
        let names: [String]
    }

    init(_ archive: StagedArchive, what: String, content: ContentStore, limits: ImageLimits) {
        self.archive = archive
        self.what = what
        self.content = content
        self.limits = limits
    }

    /// - Throws: `.invalidArgument`/`notAnImage` if this is no archive of images,
    ///   `.failedPrecondition`/`platformUnavailable` if none of them is for this node.
    mutating func find() throws -> [Found] {
        if let bytes = try archive.document("index.json") {
            return try findOCI(try JSONDecoder.decode(ImageIndex.self, bytes, what: "index.json of \(what)"))
        }
        if let bytes = try archive.document("manifest.json") {
            let entries = try JSONDecoder.decode([DockerArchiveEntry].self, bytes, what: "manifest.json of \(what)")
            return try entries.map { try findDocker($0) }
        }
        throw CarpelError(
            .invalidArgument, "notAnImage",
            "\(what) has neither index.json (OCI layout) nor manifest.json (docker save)")
    }

    // MARK: - OCI layout

    private mutating func findOCI(_ index: ImageIndex) throws -> [Found] {
        var found: [Found] = []
        var unavailable: CarpelError?
        for entry in index.manifests {
            do {
                let stored = try StoredImage(entry, name: what, limits: limits) { descriptor in
                    let path = Self.path(of: descriptor.digest)
                    guard let bytes = try archive.document(path) else { throw Self.missing(path, in: what) }
                    guard Digest(of: bytes) == descriptor.digest else { throw Self.mismatch(path, Digest(of: bytes)) }
                    return bytes
                }
                try take(stored)
                found.append(Found(stored: stored, names: Self.names(of: entry)))
            } catch let error as CarpelError where error.reason == "platformUnavailable" {
                // The layout may hold the same image for other platforms too.
                unavailable = error
            }
        }
        if found.isEmpty, let unavailable { throw unavailable }
        return found
    }

    /// A reference annotation may be a whole reference or, by the specification's example, a bare tag.
    private static func names(of entry: Descriptor) -> [String] {
        guard let text = NameIndex.name(of: entry), text.contains(where: { "/:@".contains($0) }),
            let reference = try? ImageReference(text)
        else { return [] }
        return [reference.description]
    }

    private mutating func take(_ stored: StoredImage) throws {
        for digest in stored.blobs where !FileSystem.exists(content.blob(digest)) {
            let path = Self.path(of: digest)
            guard let file = try archive.file(path) else { throw Self.missing(path, in: what) }
            guard file.digest == digest else { throw Self.mismatch(path, file.digest) }
            try FileSystem.move(file.path, to: content.blob(digest))
            moved.insert(digest)
        }
    }

    private static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    // MARK: - docker save

    /// Source: the Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
    private struct DockerArchiveEntry: Decodable {
        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }
        var config: String
        var repoTags: [String]?
        var layers: [String]
    }

    private mutating func findDocker(_ entry: DockerArchiveEntry) throws -> Found {
        var layers: [Descriptor] = []
        for path in entry.layers { layers.append(try takeDocker(path, nil)) }
        let config = try takeDocker(entry.config, MediaType.ociConfig)
        let manifest = ImageManifest(mediaType: MediaType.ociManifest, config: config, layers: layers)
        let bytes = try JSONEncoder.stable(manifest)
        let target = Descriptor(
            mediaType: MediaType.ociManifest, digest: try content.store(bytes), size: Int64(bytes.count))
        moved.insert(target.digest)
        let stored = try StoredImage(target, name: what, limits: limits) {
            try content.document($0.digest, limit: limits.maxDocumentBytes)
        }
        return Found(stored: stored, names: try (entry.repoTags ?? []).map { try ImageReference($0).description })
    }

    /// - Parameter type: nil for a layer, whose first bytes tell.
    private mutating func takeDocker(_ path: String, _ type: String?) throws -> Descriptor {
        guard let file = try archive.file(path) else { throw Self.missing(path, in: what) }
        let blob = content.blob(file.digest)
        // Two entries of the archive may share it.
        let source = FileSystem.exists(blob) ? blob : file.path
        let descriptor = Descriptor(
            mediaType: try type ?? Self.layerType(try File(source, O_RDONLY)), digest: file.digest, size: file.size)
        if source != blob {
            try FileSystem.move(source, to: blob)
            moved.insert(file.digest)
        }
        return descriptor
    }

    private static func layerType(_ file: File) throws -> String {
        var magic: [UInt8] = [0, 0, 0, 0]
        _ = try magic.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        if magic.starts(with: [0x1F, 0x8B]) { return MediaType.ociLayerGzip }
        if magic == [0x28, 0xB5, 0x2F, 0xFD] { return MediaType.ociLayerZstd }
        return MediaType.ociLayer
    }

    private static func missing(_ path: String, in what: String) -> CarpelError {
        CarpelError(.dataLoss, "contentMissing", "\(what) has no \(path), which its image needs")
    }

    private static func mismatch(_ path: String, _ actual: Digest) -> CarpelError {
        CarpelError(.dataLoss, "digestMismatch", "\(path) has content of digest \(actual)")
    }
}
