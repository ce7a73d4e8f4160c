import CarpelCore

extension ImageStore {
    /// Brings images from an OCI image layout (a directory, or a tar of one) or an archive of `docker save`.
    ///
    /// Tars may be compressed with gzip or zstd.
    /// - Parameter name: a reference for the archive's image, in place of the names that the archive gives. An image
    ///   with neither is kept under its id.
    /// - Returns: the images for this node's platform.
    /// - Throws: `.invalidArgument`/`notAnImage` or `severalImages`, `.dataLoss`, `.resourceExhausted`, and what
    ///   unpacking throws.
    public func importArchive(_ path: String, name: String?) async throws -> [Image] {
        do {
            return try await bringIn(path, try name.map { try ImageReference($0) })
        } catch {
            throw CarpelError.wrapping(error, during: "import \(path)")
        }
    }

    private func bringIn(_ path: String, _ name: ImageReference?) async throws -> [Image] {
        let limits = configuration.limits
        // Nothing may be collected between the arrival of a blob and its image's name.
        imports += 1
        defer { imports -= 1 }
        let (found, moved) = try await onBlockingThread { [content] flag in
            let archive = try StagedArchive(path, in: content, limits: limits, flag)
            defer { archive.remove() }
            var images = ImportedImages(archive, what: path, content: content, limits: limits)
            return (Result { try images.find() }, images.moved)
        }
        do {
            let images = try found.get()
            guard name == nil || images.count == 1 else {
                throw CarpelError(
                    .invalidArgument, "severalImages", "\(path) holds \(images.count) images; import it without a name")
            }
            for layer in images.flatMap(\.stored.layers) { _ = try await disks.disk(of: layer) { _ in } }
            return try images.map { try register($0.stored, names: name.map { [$0.description] } ?? $0.names) }
        } catch {
            // Another import may count on the same content.
            if imports == 1 { removeUnreferenced(moved) }
            throw error
        }
    }
}
