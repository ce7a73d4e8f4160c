import CarpelCore

/// What an image may cost this node. Crossing one is `.resourceExhausted`.
public struct ImageLimits: Codable, Equatable, Sendable {
    /// A manifest, an index or an image's configuration. Registries take manifests of 4 MiB
    /// (OCI distribution spec, "Pushing Manifests").
    public var maxDocumentBytes = ByteCount.mebibytes(4)
    /// One compressed layer.
    public var maxBlobBytes = ByteCount.gibibytes(16)
    /// Each layer takes a disk of the pod's machine.
    public var maxLayers = 128
    /// One layer's tar stream, and likewise its disk, holes counted.
    public var maxUnpackedLayerBytes = ByteCount.gibibytes(32)
    /// Files, directories and links of one layer.
    public var maxLayerEntries = 500_000
    /// Names, link targets and extended attributes of one layer, which are kept in memory while it is unpacked.
    public var maxLayerMetadataBytes = ByteCount.mebibytes(256)
    /// Stays free on the store's file system.
    public var minimumFreeBytes = ByteCount.mebibytes(512)

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.maxDocumentBytes, into: &maxDocumentBytes)
        try values.read(.maxBlobBytes, into: &maxBlobBytes)
        try values.read(.maxLayers, into: &maxLayers)
        try values.read(.maxUnpackedLayerBytes, into: &maxUnpackedLayerBytes)
        try values.read(.maxLayerEntries, into: &maxLayerEntries)
        try values.read(.maxLayerMetadataBytes, into: &maxLayerMetadataBytes)
        try values.read(.minimumFreeBytes, into: &minimumFreeBytes)
    }
}
