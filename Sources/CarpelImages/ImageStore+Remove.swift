import CarpelCore

extension ImageStore {
    /// Removes a name, or by id a whole image. Fine if there is none.
    ///
    /// A tag takes only itself away, unless it is the image's last tag. Then, and by id, the image goes with all its
    /// names, and with it the blobs and disks that no other image needs.
    /// - Parameter inUse: diff ids of the layers that containers use: their disks stay. What they keep is collected by
    ///   a later call.
    public func remove(_ reference: String, inUse: Set<String>) async throws {
        let used = try Set(inUse.map { try Digest($0) })
        if let image = try image(reference) {
            var changed = names
            let gone = try namesToRemove(reference, image)
            changed.removeAll { entry in
                if let name = NameIndex.name(of: entry) { return gone.contains(name) }
                return (try? stored(entry).id.description) == image.id
            }
            try changed.save(content)
            names = changed
        }
        try collect(inUse: used)
    }

    /// Removes blobs and disks that no image and no container needs, such as those of a pull that was given up.
    ///
    /// Does nothing while any index or image cannot be read, since then nobody knows what is needed.
    public func collectGarbage(inUse: Set<String>) async throws {
        try collect(inUse: Set(inUse.map { try Digest($0) }))
    }

    private func namesToRemove(_ reference: String, _ image: Image) throws -> Set<String> {
        let all = Set(image.repoTags + image.repoDigests)
        guard !image.id.dropFirst(7).hasPrefix(reference), !reference.hasPrefix("sha256:"),
            let name = try? ImageReference(reference)
        else { return all }
        var gone: Set = [name.description]
        if name.digest != nil {
            // The digest is what the repository's tags point to.
            gone.formUnion(image.repoTags.filter { $0.hasPrefix("\(name.name):") })
        }
        let tagsLeft = image.repoTags.filter { !gone.contains($0) }
        if !tagsLeft.contains(where: { $0.hasPrefix("\(name.name):") }) {
            gone.formUnion(image.repoDigests.filter { $0.hasPrefix("\(name.name)@") })
        }
        return tagsLeft.isEmpty && name.digest == nil ? all : gone
    }

    private func collect(inUse: Set<Digest>) throws {
        guard imports == 0, let live = liveContent() else { return }
        for name in try FileSystem.names(in: content.blobs) {
            guard let digest = Digest(hex: name), !live.blobs.contains(digest) else { continue }
            try content.removeBlob(digest)
            forget(digest)
        }
        for name in try FileSystem.names(in: content.ingest) {
            guard let digest = Digest(hex: name), !live.blobs.contains(digest) else { continue }
            try FileSystem.remove(content.partial(digest))
        }
        for name in try FileSystem.names(in: content.disks) where name.hasSuffix(ContentStore.diskSuffix) {
            guard let diffID = Digest(hex: name.dropLast(ContentStore.diskSuffix.count)),
                !live.diffIDs.contains(diffID), !inUse.contains(diffID)
            else { continue }
            try FileSystem.remove(content.disk(diffID))
        }
    }

    /// Removes those of `digests` that nothing needs, after a failed pull or import.
    func removeUnreferenced(_ digests: Set<Digest>) {
        guard let live = liveContent() else { return }
        for digest in digests.subtracting(live.blobs) {
            do {
                try content.removeBlob(digest)
                try FileSystem.remove(content.partial(digest))
                forget(digest)
            } catch {
                logger.warning("a blob could not be removed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// What images and work under way need; nil if nobody can know.
    private func liveContent() -> (blobs: Set<Digest>, diffIDs: Set<Digest>)? {
        do {
            let aside = try setAside()
            guard aside.isEmpty else {
                logger.warning("nothing is collected: an index is set aside", metadata: ["paths": "\(aside)"])
                return nil
            }
            var blobs = pins.all
            var diffIDs = pins.all
            for entry in names.entries {
                let stored = try stored(entry)
                blobs.formUnion(stored.blobs)
                diffIDs.formUnion(stored.configuration.rootfs.diffIDs)
            }
            return (blobs, diffIDs)
        } catch {
            logger.warning("nothing is collected: an image cannot be read", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
