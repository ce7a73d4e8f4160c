/// A list of manifests: an image for several platforms, or the names of an image layout.
///
/// Source: OCI image spec, image-index.md, and image-layout.md for `index.json`.
struct ImageIndex: Codable, Sendable {
    var schemaVersion = 2
    var mediaType: String? = MediaType.ociIndex
    var manifests: [Descriptor] = []
    var annotations: [String: String]?

    /// The entry that runs best on `node`.
    ///
    /// Entries without a platform and those of the platform `unknown` (attestations) are no candidates.
    func manifest(for node: Platform, image: String) throws -> Descriptor {
        let ranked = manifests.compactMap { entry in
            entry.platform?.rank(on: node).map { (rank: $0, entry: entry) }
        }
        // The first of equals wins: "the first matching entry SHOULD be used".
        guard let best = ranked.enumerated().min(by: { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) })
        else {
            let known = manifests.compactMap(\.platform).filter { $0.os != "unknown" }
            throw Platform.unavailable(image, on: node, there: known)
        }
        return best.element.entry
    }
}
