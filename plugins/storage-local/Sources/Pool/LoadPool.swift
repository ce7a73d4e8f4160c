import CarpelPluginSDK
import Glibc

extension PoolFolders {
    /// Reads the records, and removes what work that was cut off has left.
    ///
    /// While a record cannot be read nothing is removed: what seems left over may be its.
    func load() throws -> PoolIndex {
        try prepare()
        var index = PoolIndex()
        let (volumes, unreadableVolumes) = try volumes.load()
        let (snapshots, unreadableSnapshots) = try snapshots.load()
        index.volumes = Dictionary(volumes.map { ($0.id, $0) }) { first, _ in first }
        index.snapshots = Dictionary(snapshots.map { ($0.id, $0) }) { first, _ in first }
        for name in unreadableVolumes { try setAside(name, from: self.volumes.path) }
        for name in unreadableSnapshots { try setAside(name, from: self.snapshots.path) }
        index.unreadable = try listFolder(setAside).map { "\(setAside)/\($0)" }

        let unclaimed =
            try unclaimedDisks(in: self.volumes.path, claimed: volumes.map { ($0.id, $0.content.format) })
            + unclaimedDisks(in: self.snapshots.path, claimed: snapshots.map { ($0.id, $0.content.format) })
        if index.unreadable.isEmpty {
            try removeLeftovers(unclaimed)
        } else {
            index.unclaimedBytes = unclaimed.reduce(0) { $0 + countedBytes($1.path, $1.format) }
        }
        return index
    }

    private func setAside(_ name: String, from folder: String) throws {
        let path = "\(setAside)/\(name)"
        // An older one of the same name is kept too.
        let free = try fileStatus(path) == nil ? path : "\(path).\(makeIdentifier())"
        try renameFile("\(folder)/\(name)", to: free)
        try syncToDisk(setAside)
        try syncToDisk(folder)
        log("\(name) lies in \(free) now; mend it and put it back into \(folder), or remove it, and reload the plugin")
    }

    private func unclaimedDisks(
        in folder: String, claimed: [(id: String, format: DiskFormat)]
    ) throws -> [(path: String, format: DiskFormat)] {
        let claimed = Set(claimed.map { "\($0.id).\($0.format.rawValue)" })
        return try listFolder(folder).compactMap { name in
            guard !claimed.contains(name), let format = DiskFileName(name)?.format else { return nil }
            return ("\(folder)/\(name)", format)
        }
    }

    private func removeLeftovers(_ disks: [(path: String, format: DiskFormat)]) throws {
        let halfMade = try listFolder(temporary).filter { DiskFileName($0) != nil }.map { "\(temporary)/\($0)" }
        for path in disks.map(\.path) + halfMade {
            log("removing \(path), which is left from work that was cut off")
            guard unlink(path) == 0 || errno == ENOENT else { throw systemError("cannot remove \(path)") }
        }
    }

    private func countedBytes(_ path: String, _ format: DiskFormat) -> Int64 {
        let allocated = (try? fileStatus(path)?.allocatedBytes) ?? 0
        return max(allocated, (try? diskLength(path, format)) ?? 0)
    }
}
