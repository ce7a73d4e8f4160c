import CarpelCore

/// An image of one platform: its configuration and its layers, bottom first.
///
/// Source: OCI image spec, manifest.md; Docker's schema 2 has the same fields.
struct ImageManifest: Codable, Sendable {
    var schemaVersion = 2
    var mediaType: String?
    var config: Descriptor
    var layers: [Descriptor]

    /// - Throws: an error if this is no runnable image or costs more than `limits` allow.
    func validate(_ image: String, limits: ImageLimits) throws {
        guard MediaType.configs.contains(config.mediaType) else {
            throw CarpelError(
                .invalidArgument, "notAnImage",
                "\(image) is no container image: its configuration has the type \(config.mediaType)")
        }
        guard layers.count <= limits.maxLayers else {
            throw CarpelError(
                .resourceExhausted, "tooManyLayers",
                "\(image) has \(layers.count) layers; the limit is \(limits.maxLayers). Squash some")
        }
        try config.requireSize(atMost: limits.maxDocumentBytes)
        for layer in layers {
            guard MediaType.layers.contains(layer.mediaType) else {
                throw CarpelError(
                    .unimplemented, "unsupportedLayer",
                    "\(image) has a layer of type \(layer.mediaType): only tar "
                        + "layers, plain or compressed with gzip or zstd, are supported")
            }
            try layer.requireSize(atMost: limits.maxBlobBytes)
        }
    }

    /// Compressed bytes of the image, its manifest not counted.
    var contentSize: Int64 { layers.reduce(config.size) { $0.addingReportingOverflow($1.size).partialValue } }
}
