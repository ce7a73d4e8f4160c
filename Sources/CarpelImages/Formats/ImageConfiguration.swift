import CarpelCore

/// The configuration blob of an image. Its digest is the image's id. Source: OCI image spec, config.md.
struct ImageConfiguration: Decodable, Sendable {
    struct RootFS: Decodable, Sendable {
        enum CodingKeys: String, CodingKey {
            case diffIDs = "diff_ids"
        }
        var diffIDs: [Digest]
    }

    var created: String?
    var architecture: String?
    var os: String?
    var variant: String?
    var config: ImageConfig?
    var rootfs: RootFS

    /// The platform, of this node where an old image leaves it out.
    var platform: Platform {
        let node = Platform.node
        return Platform(
            architecture: architecture.nonEmpty ?? node.architecture, os: os.nonEmpty ?? node.os,
            variant: variant.nonEmpty)
    }

    /// - Throws: `.dataLoss`/`layerCountMismatch` if manifest and configuration disagree,
    ///   `.failedPrecondition`/`platformUnavailable` if the image is for another platform.
    func validate(_ image: String, manifest: ImageManifest, node: Platform) throws {
        guard rootfs.diffIDs.count == manifest.layers.count else {
            throw CarpelError(
                .dataLoss, "layerCountMismatch",
                "\(image) has \(manifest.layers.count) layers and \(rootfs.diffIDs.count) diff ids; republish it")
        }
        guard platform.rank(on: node) != nil else {
            throw Platform.unavailable(image, on: node, there: [platform])
        }
    }
}

extension String? {
    /// Go writes an absent string as an empty one.
    var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
