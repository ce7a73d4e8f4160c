import CarpelCore
import Glibc
import Logging

/// Makes the disks of layers in the store; each one once, whoever asks for it.
struct DiskBuilder: Sendable {
    private let content: ContentStore
    private let limits: ImageLimits
    private let logger: Logger
    private let gate: Gate
    private let work = SharedWork<Digest, Int64, LayerDisk>()

    init(_ content: ContentStore, _ configuration: ImagesConfiguration, logger: Logger) {
        self.content = content
        self.logger = logger
        limits = configuration.limits
        gate = Gate(limit: configuration.parallelUnpacks)
    }

    /// The disk of a layer, made from its blob if it is missing.
    ///
    /// - Parameter progress: called with the compressed bytes that have been read.
    /// - Throws: as ``LayerUnpacker/unpack(_:diffID:to:)``; `.notFound`/`contentMissing` without the blob.
    func disk(of layer: Image.Layer, progress: @Sendable (Int64) -> Void) async throws -> LayerDisk {
        let diffID = try Digest(layer.diffID)
        if let disk = existing(diffID) { return disk }
        return try await work.run(diffID, progress: progress) { report in
            try await gate.run {
                if let disk = existing(diffID) { return disk }
                let started = ContinuousClock.now
                let disk = try await onBlockingThread { flag in
                    try build(layer.descriptor, diffID, flag, report)
                }
                let duration = ContinuousClock.now - started
                logger.info(
                    "unpacked layer",
                    metadata: ["diffID": "\(diffID)", "size": "\(disk.size)", "duration": "\(duration)"])
                return disk
            }
        }
    }

    private func existing(_ diffID: Digest) -> LayerDisk? {
        FileSystem.fileSize(content.disk(diffID)).map {
            LayerDisk(diffID: diffID.description, path: content.disk(diffID), size: ByteCount($0))
        }
    }

    private func build(
        _ blob: Descriptor, _ diffID: Digest, _ flag: CancellationFlag, _ report: @escaping @Sendable (Int64) -> Void
    ) throws -> LayerDisk {
        guard content.has(blob) else {
            throw CarpelError(
                .notFound, "contentMissing", "layer \(blob.digest) is not in the store; pull the image again")
        }
        let path = content.temporary()
        do {
            let disk = try File(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o644)
            // Whatever the umask is: an unprivileged QEMU reads it.
            guard fchmod(disk.descriptor, 0o644) == 0 else { throw CarpelError.system(errno, "chmod \(path)") }
            let unpacker = LayerUnpacker(limits: limits) { count in
                try flag.check()
                report(count)
            }
            try unpacker.unpack(try File(content.blob(blob.digest), O_RDONLY), diffID: diffID, to: disk)
            let size = try disk.size()
            try FileSystem.move(path, to: content.disk(diffID))
            return LayerDisk(diffID: diffID.description, path: content.disk(diffID), size: ByteCount(size))
        } catch {
            try FileSystem.remove(path)
            throw error
        }
    }
}
