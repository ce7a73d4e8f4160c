import CarpelCore

/// An image in the store, for this node's platform.
public struct Image: Sendable, Equatable {
    public struct Layer: Sendable, Equatable {
        public let descriptor: Descriptor
        /// Digest of the layer's uncompressed tar, `sha256:…`. Source: OCI image spec, config.md, "Layer DiffID".
        public let diffID: String
    }

    /// `sha256:` and the digest of the image's configuration.
    public let id: String
    /// `docker.io/library/busybox:latest`; may be empty.
    public let repoTags: [String]
    /// `docker.io/library/busybox@sha256:…`, with the digest that the registry answers for the tag.
    public let repoDigests: [String]
    /// Bytes of manifest, configuration and compressed layers.
    public let size: ByteCount
    public let platform: Platform
    public let config: ImageConfig
    /// Bottom first.
    public let layers: [Layer]
    /// When it was built, RFC 3339, as the image says.
    public let created: String?
    /// The manifest of this platform.
    public let manifest: Descriptor
}
