import CarpelCore
import Foundation
import Glibc

extension ImageStore {
    /// Writes an image, for this node's platform and under its tags, to a new file or directory.
    ///
    /// - Throws: `.notFound`/`imageNotFound`, `.alreadyExists`/`fileExists` if something is at `path`.
    public func export(_ reference: String, to path: String, as format: ExportFormat = .ociArchive) async throws {
        guard let image = try image(reference) else {
            throw CarpelError(.notFound, "imageNotFound", "there is no image \(reference); list them, or pull it")
        }
        guard !FileSystem.exists(path) else {
            throw CarpelError(.alreadyExists, "fileExists", "\(path) exists; remove it or choose another path")
        }
        let needed = image.layers.map(\.descriptor.digest) + [image.manifest.digest, try Digest(image.id)]
        pins.add(needed)
        defer { pins.remove(needed) }

        let names: [String?] = image.repoTags.isEmpty ? [nil] : image.repoTags
        let index = ImageIndex(manifests: names.map { NameIndex.entry(image.manifest, name: $0) })
        let temporary = "\(path).partial-\(UUID().uuidString)"
        do {
            try await onBlockingThread { [content] flag in
                let target: any ExportTarget =
                    switch format {
                    case .ociArchive: try LayoutArchive(temporary)
                    case .ociLayout: try LayoutDirectory(temporary)
                    }
                try target.add("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
                try target.add("index.json", try JSONEncoder.stable(index))
                for digest in Set(needed).sorted(by: { $0.hex < $1.hex }) {
                    try flag.check()
                    try target.add("blobs/sha256/\(digest.hex)", contentsOf: try File(content.blob(digest), O_RDONLY))
                }
                try target.finish()
                try FileSystem.move(temporary, to: path)
            }
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw CarpelError.wrapping(error, during: "export \(reference)")
        }
    }
}
