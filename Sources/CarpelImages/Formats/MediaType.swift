/// Media types of the documents and layers that Carpel reads.
///
/// Source: OCI image spec, media-types.md, with its "Compatibility Matrix" for Docker's.
enum MediaType {
    static let ociIndex = "application/vnd.oci.image.index.v1+json"
    static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    static let ociConfig = "application/vnd.oci.image.config.v1+json"
    static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    static let ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    static let dockerConfig = "application/vnd.docker.container.image.v1+json"

    static let indexes: Set = [ociIndex, dockerList]
    static let manifests: Set = [ociManifest, dockerManifest]
    static let configs: Set = [ociConfig, dockerConfig]
    /// What the unpacker reads; it finds out the compression by itself.
    static let layers: Set = [
        ociLayer, ociLayerGzip, ociLayerZstd,
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
    ]

    /// Preference order of a manifest request's Accept headers.
    static let accepted = [ociIndex, dockerList, ociManifest, dockerManifest]
}
