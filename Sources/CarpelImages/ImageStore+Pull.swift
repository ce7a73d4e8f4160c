import CarpelCore
import Foundation

extension ImageStore {
    /// Brings an image from its registry, with its layers as disks.
    ///
    /// What is there already is not fetched again; an interrupted pull is continued by the next.
    /// - Parameters:
    ///   - reference: as ``ImageReference`` reads it; a digest wins over a tag.
    ///   - progress: called for each layer, from any thread.
    /// - Throws: `CarpelError`: `.invalidArgument` (`invalidReference`, `unsafeLayerEntry`), `.notFound`,
    ///   `.unauthenticated`, `.unavailable`, `.dataLoss` (`digestMismatch`, `sizeMismatch`), `.resourceExhausted`
    ///   (`layerTooLarge`, `noSpace` …), `.failedPrecondition` (`platformUnavailable`), `.cancelled`.
    public func pull(
        _ reference: String, credentials: RegistryCredentials?,
        progress: @escaping @Sendable (PullProgress) -> Void
    ) async throws -> Image {
        do {
            return try await pull(try ImageReference(reference), credentials, progress)
        } catch {
            throw CarpelError.wrapping(error, during: "pull \(reference)")
        }
    }

    private func pull(
        _ reference: ImageReference, _ credentials: RegistryCredentials?,
        _ progress: @escaping @Sendable (PullProgress) -> Void
    ) async throws -> Image {
        let session = try RegistrySession(
            reference, connection: connection(to: reference.registry), configuration: configuration,
            credentials: credentials, logger: logger)
        let wanted = reference.digest?.description ?? reference.tag ?? ImageReference.defaultTag
        let (bytes, type) = try await session.manifest(wanted, limit: configuration.limits.maxDocumentBytes)

        var pinned: Set<Digest> = [Digest(of: bytes)]
        pins.add(pinned)
        defer { pins.remove(pinned) }
        do {
            let mediaType = try ImageDocument(bytes, type: type, image: reference.description).mediaType
            let target = Descriptor(
                mediaType: mediaType, digest: try content.store(bytes), size: Int64(bytes.count))
            let stored = try await fetchDocuments(target, session, &pinned)
            let needed = try stored.blobs.union(stored.layers.map { try Digest($0.diffID) }).subtracting(pinned)
            pinned.formUnion(needed)
            pins.add(needed)
            try await fetch(stored.layers, session, progress)
            var names = ["\(reference.name)@\(target.digest)"]
            if reference.digest == nil { names.append(reference.description) }
            return try register(stored, names: names)
        } catch {
            // A bad image leaves nothing; after a failure that may pass, the next try continues.
            if let error = error as? CarpelError, ![.unavailable, .deadlineExceeded, .cancelled].contains(error.code) {
                pins.remove(pinned)
                removeUnreferenced(pinned)
                pinned = []
            }
            throw error
        }
    }

    /// Brings index, manifest and configuration into the store.
    private func fetchDocuments(
        _ target: Descriptor, _ session: RegistrySession, _ pinned: inout Set<Digest>
    ) async throws -> StoredImage {
        struct Missing: Error {
            let descriptor: Descriptor
        }
        let limit = configuration.limits.maxDocumentBytes
        while true {
            do {
                return try StoredImage(target, name: session.reference.description, limits: configuration.limits) {
                    guard content.has($0) else { throw Missing(descriptor: $0) }
                    return try content.document($0.digest, limit: limit)
                }
            } catch let missing as Missing {
                let descriptor = missing.descriptor
                if pinned.insert(descriptor.digest).inserted { pins.add([descriptor.digest]) }
                if MediaType.configs.contains(descriptor.mediaType) {
                    try await download(descriptor, session) { _ in }
                    continue
                }
                let (bytes, _) = try await session.manifest(descriptor.digest.description, limit: limit)
                guard Int64(bytes.count) == descriptor.size else {
                    throw CarpelError(
                        .dataLoss, "sizeMismatch",
                        "\(descriptor.digest) has \(bytes.count) bytes, but its index says \(descriptor.size)")
                }
                _ = try content.store(bytes)
            }
        }
    }

    /// Downloads and unpacks all layers, each one unpacked as soon as it is here.
    private func fetch(
        _ layers: [Image.Layer], _ session: RegistrySession,
        _ progress: @escaping @Sendable (PullProgress) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for layer in layers {
                let descriptor = layer.descriptor
                let report = { @Sendable (phase: PullProgress.Phase, done: Int64) in
                    progress(
                        PullProgress(
                            digest: descriptor.digest.description, phase: phase, done: ByteCount(done),
                            total: ByteCount(descriptor.size)))
                }
                report(.waiting, 0)
                group.addTask {
                    try await self.download(descriptor, session) { report(.downloading, $0) }
                    _ = try await self.disks.disk(of: layer) { report(.unpacking, $0) }
                    report(.done, descriptor.size)
                }
            }
            try await group.waitForAll()
        }
    }

    private nonisolated func download(
        _ descriptor: Descriptor, _ session: RegistrySession, _ progress: @Sendable (Int64) -> Void
    ) async throws {
        guard !content.has(descriptor) else { return }
        let download = BlobDownload(session: session, content: content, limits: configuration.limits)
        _ = try await downloads.run(descriptor.digest, progress: progress) { report in
            try await self.downloadGate.run { try await download.run(descriptor, report: report) }
            return true
        }
        guard content.has(descriptor) else {
            throw CarpelError(
                .dataLoss, "sizeMismatch",
                "\(descriptor.digest) does not have the \(descriptor.size) bytes that its "
                    + "manifest says; push the image again")
        }
    }
}
