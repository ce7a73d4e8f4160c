import CarpelCore
import Foundation

/// The documents of an image in the store, for this node's platform.
struct StoredImage: Sendable {
    /// What its names point to: an index or a manifest.
    let target: Descriptor
    let manifestDescriptor: Descriptor
    let manifest: ImageManifest
    let configuration: ImageConfiguration

    var id: Digest { manifest.config.digest }

    /// Everything that must stay as long as the image does.
    var blobs: Set<Digest> {
        Set([target.digest, manifestDescriptor.digest, id] + manifest.layers.map(\.digest))
    }

    var layers: [Image.Layer] {
        zip(manifest.layers, configuration.rootfs.diffIDs).map {
            Image.Layer(descriptor: $0, diffID: $1.description)
        }
    }

    /// - Parameter document: gives a document by its descriptor.
    init(
        _ target: Descriptor, name: String, limits: ImageLimits,
        document: (Descriptor) throws -> [UInt8]
    ) throws {
        var descriptor = target
        var depth = 0
        while true {
            try descriptor.requireSize(atMost: limits.maxDocumentBytes)
            let bytes = try document(descriptor)
            switch try ImageDocument(bytes, type: descriptor.mediaType, image: name) {
            case .index(let index):
                depth += 1
                guard depth <= 3 else {
                    throw CarpelError(.invalidArgument, "notAnImage", "\(name) nests its indexes too deep")
                }
                descriptor = try index.manifest(for: .node, image: name)
            case .manifest(let manifest):
                try manifest.validate(name, limits: limits)
                let configuration = try JSONDecoder.decode(
                    ImageConfiguration.self, try document(manifest.config), what: "the configuration of \(name)")
                try configuration.validate(name, manifest: manifest, node: .node)
                self.target = target.plain
                self.manifestDescriptor = descriptor.plain
                self.manifest = manifest
                self.configuration = configuration
                return
            }
        }
    }

    func image(names: [String]) -> Image {
        Image(
            id: id.description,
            repoTags: names.filter { !$0.contains("@") }.sorted(),
            repoDigests: names.filter { $0.contains("@") }.sorted(),
            size: ByteCount(manifest.contentSize + manifestDescriptor.size),
            platform: configuration.platform,
            config: configuration.config ?? ImageConfig(),
            layers: layers,
            created: configuration.created,
            manifest: manifestDescriptor)
    }
}
