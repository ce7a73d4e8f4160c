import Foundation

@testable import CarpelImages

/// An image made by hand: blobs by digest, ready to be written as a layout or to be served.
struct TestImage: Sendable {
    private(set) var blobs: [Digest: [UInt8]] = [:]
    private(set) var layers: [Descriptor] = []
    private(set) var diffIDs: [Digest] = []
    /// Of the manifest, or of an index around it.
    private(set) var target: Descriptor
    let manifest: Descriptor
    let configDigest: Digest

    /// - Parameter tars: the layers, bottom first; each is stored as `compress` makes it.
    init(
        _ tars: [TarBuilder], platform: Platform = .node, config: String = "{}", type: String = MediaType.ociLayer,
        compress: ([UInt8]) async throws -> [UInt8] = { $0 }
    ) async throws {
        for tar in tars {
            let blob = try await compress(tar.finished)
            blobs[Digest(of: blob)] = blob
            layers.append(Descriptor(mediaType: type, digest: Digest(of: blob), size: Int64(blob.count)))
            diffIDs.append(Digest(of: tar.finished))
        }
        let ids = diffIDs.map { "\"\($0)\"" }.joined(separator: ",")
        let text = """
            {"created":"2024-01-02T03:04:05Z","architecture":"\(platform.architecture)","os":"\(platform.os)",\
            "config":\(config),"rootfs":{"type":"layers","diff_ids":[\(ids)]}}
            """
        let bytes = Array(text.utf8)
        configDigest = Digest(of: bytes)
        blobs[configDigest] = bytes
        let document = ImageManifest(
            mediaType: MediaType.ociManifest,
            config: Descriptor(mediaType: MediaType.ociConfig, digest: configDigest, size: Int64(bytes.count)),
            layers: layers)
        let manifestBytes = try JSONEncoder.stable(document)
        manifest = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest(of: manifestBytes), size: Int64(manifestBytes.count))
        blobs[manifest.digest] = manifestBytes
        target = manifest
    }

    /// Several images as one, by platform.
    init(index images: [(Platform, TestImage)]) throws {
        self = images[0].1
        var index = ImageIndex()
        for (platform, image) in images {
            var entry = image.manifest
            entry.platform = platform
            index.manifests.append(entry)
            blobs.merge(image.blobs) { first, _ in first }
        }
        let bytes = try JSONEncoder.stable(index)
        target = Descriptor(mediaType: MediaType.ociIndex, digest: Digest(of: bytes), size: Int64(bytes.count))
        blobs[target.digest] = bytes
    }

    /// `image` with a manifest that lists another's layers.
    init(_ image: TestImage, withLayersOf other: TestImage) throws {
        self = image
        let config = image.blobs[image.configDigest] ?? []
        let document = ImageManifest(
            mediaType: MediaType.ociManifest,
            config: Descriptor(mediaType: MediaType.ociConfig, digest: configDigest, size: Int64(config.count)),
            layers: other.layers)
        let bytes = try JSONEncoder.stable(document)
        target = Descriptor(mediaType: MediaType.ociManifest, digest: Digest(of: bytes), size: Int64(bytes.count))
        blobs[target.digest] = bytes
        blobs.merge(other.blobs) { first, _ in first }
    }

    /// One file of `content` at `path`.
    static func small(_ path: String = "hello", _ content: String = "world") async throws -> TestImage {
        var tar = TarBuilder()
        tar.file(path, content)
        return try await TestImage([tar])
    }

    /// One layer of `size` incompressible bytes.
    static func large(_ size: Int, seed: UInt64 = 1) async throws -> TestImage {
        var state = seed
        var bytes = [UInt8]()
        bytes.reserveCapacity(size)
        while bytes.count < size {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
        }
        var tar = TarBuilder()
        tar.add("noise", .file, bytes)
        return try await TestImage([tar])
    }

    /// Writes an OCI image layout.
    func writeLayout(_ path: String, name: String?) throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: "\(path)/blobs/sha256", withIntermediateDirectories: true)
        for (digest, bytes) in blobs {
            try Data(bytes).write(to: URL(filePath: "\(path)/blobs/sha256/\(digest.hex)"))
        }
        var entry = target
        entry.annotations = name.map { [NameIndex.referenceAnnotation: $0] }
        let index = try JSONEncoder.stable(ImageIndex(manifests: [entry]))
        try Data(index).write(to: URL(filePath: "\(path)/index.json"))
        try Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8).write(to: URL(filePath: "\(path)/oci-layout"))
    }
}
