import CarpelCore
import Foundation
import Glibc

/// The files of the store: an OCI image layout, and beside it what Carpel makes of it.
///
/// | path | holds |
/// |---|---|
/// | `oci-layout`, `index.json`, `blobs/sha256/` | the layout; a file in `blobs` is complete and verified |
/// | `disks/<diff id>.erofs` | a layer as a disk, complete and verified; readable by everyone, for QEMU |
/// | `ingest/` | blobs under way, kept over restarts to be resumed |
/// | `staging/` | everything else under way, emptied at start |
///
/// Source: OCI image spec, image-layout.md.
struct ContentStore: Sendable {
    let root: String

    var index: String { "\(root)/index.json" }
    var blobs: String { "\(root)/blobs/sha256" }
    var disks: String { "\(root)/disks" }
    var ingest: String { "\(root)/ingest" }
    var staging: String { "\(root)/staging" }

    static let diskSuffix = ".erofs"

    /// Makes what is missing, and removes what a killed process left in `staging`.
    init(root: String) throws {
        self.root = root
        // Those above `disks` may be passed, not listed, by an unprivileged QEMU.
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try FileSystem.makeDirectory(root, mode: 0o711)
        try FileSystem.makeDirectory(disks, mode: 0o711)
        for path in ["\(root)/blobs", blobs, ingest, staging] { try FileSystem.makeDirectory(path, mode: 0o700) }
        for name in try FileSystem.names(in: staging) {
            try FileManager.default.removeItem(atPath: "\(staging)/\(name)")
        }
        try FileSystem.replace(
            "\(root)/oci-layout", with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), mode: 0o644,
            temporary: temporary())
    }

    func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }
    func disk(_ diffID: Digest) -> String { "\(disks)/\(diffID.hex)\(Self.diskSuffix)" }
    func partial(_ digest: Digest) -> String { "\(ingest)/\(digest.hex)" }

    /// A name in `staging` that nobody else has.
    func temporary() -> String { "\(staging)/\(UUID().uuidString)" }

    func has(_ descriptor: Descriptor) -> Bool { FileSystem.fileSize(blob(descriptor.digest)) == descriptor.size }

    /// A document of the store, verified again: it is small, and disks forget.
    ///
    /// - Throws: `.notFound`/`contentMissing`, `.dataLoss`/`digestMismatch`.
    func document(_ digest: Digest, limit: ByteCount) throws -> [UInt8] {
        guard FileSystem.exists(blob(digest)) else {
            throw CarpelError(.notFound, "contentMissing", "\(digest) is not in the store; pull the image again")
        }
        let bytes = try FileSystem.contents(of: blob(digest), limit: limit)
        guard Digest(of: bytes) == digest else {
            throw CarpelError(
                .dataLoss, "digestMismatch", "\(blob(digest)) is damaged; remove the image and pull it again")
        }
        return bytes
    }

    /// Keeps a document; fine if it is there.
    func store(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        if FileSystem.fileSize(blob(digest)) != Int64(bytes.count) {
            try FileSystem.replace(blob(digest), with: bytes, mode: 0o600, temporary: temporary())
        }
        return digest
    }

    func removeBlob(_ digest: Digest) throws { try FileSystem.remove(blob(digest)) }
}
