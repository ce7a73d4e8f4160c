import CarpelCore

/// A reference to content: what it is, its digest and its size. Source: OCI image spec, descriptor.md.
public struct Descriptor: Codable, Hashable, Sendable {
    public var mediaType: String
    public var digest: Digest
    public var size: Int64
    public var platform: Platform?
    public var annotations: [String: String]?

    public init(
        mediaType: String, digest: Digest, size: Int64, platform: Platform? = nil,
        annotations: [String: String]? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
    }

    /// The content alone, without what the document that names it says beside.
    var plain: Descriptor { Descriptor(mediaType: mediaType, digest: digest, size: size) }

    /// - Throws: `.dataLoss`/`sizeMismatch` if the size makes no sense, `.resourceExhausted`/`blobTooLarge`.
    func requireSize(atMost limit: ByteCount) throws {
        guard size >= 0 else {
            throw CarpelError(.dataLoss, "sizeMismatch", "\(digest) claims a size of \(size); republish the image")
        }
        guard size <= limit.bytes else {
            throw CarpelError(
                .resourceExhausted, "blobTooLarge", "\(digest) has \(ByteCount(size)); the limit is \(limit)")
        }
    }
}
