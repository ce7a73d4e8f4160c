import CarpelCore
import Foundation
import Glibc

@testable import CarpelImages

extension FuzzTarget {
    /// A layer's blob, to the disk that a machine gets.
    static let layers = FuzzTarget(name: "layers", maximumLength: 16384) {
        [try Archive.layer(), try Archive.layer(.gzip), try Archive.layer(.zstd), Archive.sparse]
    } run: { bytes in
        let folder = try Scratch.make()
        defer { Scratch.remove() }
        try Data(bytes).write(to: URL(filePath: "\(folder)/blob"))
        do {
            let blob = try File("\(folder)/blob", O_RDONLY)
            let stream = try LayerStream(blob: blob, limit: limits.maxUnpackedLayerBytes) { _ in }
            let diffID = try stream.finish()
            let disk = try File("\(folder)/disk", O_RDWR | O_CREAT | O_TRUNC)
            try LayerUnpacker(limits: limits) { _ in }.unpack(blob, diffID: diffID, to: disk)
            let size = try disk.size()
            try Finding.require(size % Int64(Erofs.blockSize) == 0 && size > 0, "a disk of \(size) bytes")
        } catch is CarpelError {
        }
        var status = stat()
        let written = stat("\(folder)/disk", &status) == 0 ? Int64(status.st_size) : 0
        try Finding.require(written <= limits.maxUnpackedLayerBytes.bytes * 2, "a disk of \(written) bytes")
        try Scratch.requireOnly(["blob", "disk"], in: folder)
    }

    private static let limits = {
        var limits = ImageLimits()
        limits.maxUnpackedLayerBytes = .mebibytes(1)
        limits.maxLayerEntries = 256
        limits.maxLayerMetadataBytes = .kibibytes(64)
        limits.minimumFreeBytes = ByteCount(0)
        return limits
    }()

    /// An archive of images, as `docker save` and OCI layouts make them.
    static let imageArchives = FuzzTarget(name: "image-archives", maximumLength: 16384) {
        [
            try Archive.ociLayout(), try Archive.ociLayout(.gzip), try Archive.dockerSave(), try Archive.layer(),
        ]
    } run: { bytes in
        let folder = try Scratch.make()
        defer { Scratch.remove() }
        try Data(bytes).write(to: URL(filePath: "\(folder)/archive"))
        let content = try ContentStore(root: "\(folder)/store")
        do {
            var limits = limits
            limits.maxBlobBytes = .mebibytes(1)
            let archive = try StagedArchive("\(folder)/archive", in: content, limits: limits, CancellationFlag())
            defer { archive.remove() }
            var images = ImportedImages(archive, what: "the archive", content: content, limits: limits)
            for found in try images.find() { _ = found.stored.image(names: found.names) }
        } catch is CarpelError {
        }
        try Scratch.requireOnly(["archive", "store"], in: folder)
        let blobs = try FileSystem.names(in: content.blobs)
        for name in blobs {
            let bytes = try FileSystem.contents(of: "\(content.blobs)/\(name)", limit: .mebibytes(1))
            try Finding.require(Digest(of: bytes).hex == name, "a blob under another name")
        }
    }
}
