import CarpelPluginSDK
import FoundationEssentials
import Glibc

/// Where things lie.
struct PoolFolders: Sendable {
    let pool: String
    let stateFolder: String
    let machineGroup: UInt32

    var volumes: RecordFolder<VolumeRecord> { RecordFolder(path: "\(pool)/volumes", temporary: temporary) }
    var snapshots: RecordFolder<SnapshotRecord> { RecordFolder(path: "\(pool)/snapshots", temporary: temporary) }
    /// Work in progress. Whatever lies here when nobody works is left over.
    var temporary: String { "\(pool)/temporary" }
    /// Records that could not be read.
    var setAside: String { "\(pool)/set-aside" }
    var lock: String { "\(pool)/lock" }

    /// Makes what is missing.
    ///
    /// - Throws: ``PluginError``; `poolMissing` if the pool was there once, such as when its file system is not mounted.
    func prepare() throws {
        try identify()
        try makeFolder(pool, isForMachines: true)
        try makeFolder(volumes.path, isForMachines: true)
        for folder in [snapshots.path, temporary, setAside] { try makeFolder(folder, isForMachines: false) }
        try syncToDisk(pool)
    }

    /// Machines pass through their folders and list nothing; the others are the plugin's alone.
    private func makeFolder(_ path: String, isForMachines: Bool) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw systemError("cannot make \(path)") }
        let folder = try OpenFile(path, O_RDONLY | O_DIRECTORY)
        // One that somebody else made, such as a file system's root, keeps the mode that they chose.
        guard try folder.status().st_uid == getuid() else { return }
        if isForMachines { try give(folder, to: machineGroup) }
        guard fchmod(folder.descriptor, isForMachines ? 0o710 : 0o700) == 0 else {
            throw systemError("cannot set the mode of \(path)")
        }
    }

    /// Lets machines open a volume's disk as far as its publications allow, and nobody without one.
    func setAccess(of disk: String, to record: VolumeRecord) throws {
        let file = try OpenFile(disk, O_RDONLY)
        try give(file, to: machineGroup)
        let mode: mode_t = record.publications.isEmpty ? 0o600 : record.isPublishedToWriter ? 0o660 : 0o640
        guard fchmod(file.descriptor, mode) == 0 else { throw systemError("cannot set the mode of \(disk)") }
    }

    private func give(_ file: borrowing OpenFile, to group: gid_t) throws {
        guard try file.status().st_gid != group else { return }
        guard fchown(file.descriptor, uid_t.max, group) == 0 else {
            throw PluginError(
                .permissionDenied, "accessDenied",
                "cannot give \(file.path) to the machines' group \(group): the plugin's account (uid \(getuid())) "
                    + "must own the file and be a member of the group")
        }
    }
}

extension PoolFolders {
    /// What tells a pool from another one, and from an empty folder in which one should be mounted.
    private struct Mark: Codable {
        var version = recordVersion
        var id: String
        /// Only in the state folder: where the pool was.
        var pool: String?
    }

    private func identify() throws {
        let known = try mark(in: stateFolder, named: "pool.json").flatMap { $0.pool == pool ? $0.id : nil }
        guard let found = try mark(in: pool, named: "pool.json") else {
            guard known == nil else {
                throw PluginError(
                    .unavailable, "poolMissing",
                    "there is no pool in \(pool), where there was one: mount its file system; if it is gone for good "
                        + "remove \(stateFolder)/pool.json")
            }
            return try begin()
        }
        if let known, known != found.id {
            throw PluginError(
                .failedPrecondition, "poolChanged",
                "another pool lies in \(pool) than did before; if that is as it should be remove "
                    + "\(stateFolder)/pool.json")
        }
        if known == nil { try remember(found.id) }
    }

    private func begin() throws {
        guard mkdir(pool, 0o700) == 0 || errno == EEXIST else { throw systemError("cannot make \(pool)") }
        let id = makeIdentifier()
        try write(Mark(id: id), to: "\(pool)/pool.json")
        try remember(id)
    }

    private func remember(_ id: String) throws {
        try write(Mark(id: id, pool: pool), to: "\(stateFolder)/pool.json")
    }

    private func write(_ mark: Mark, to path: String) throws {
        try writeFile("\(path).partial", try JSONEncoder().encode(mark))
        try renameFile("\(path).partial", to: path)
        try syncToDisk(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
    }

    private func mark(in folder: String, named name: String) throws -> Mark? {
        let path = "\(folder)/\(name)"
        guard try fileStatus(path) != nil else { return nil }
        guard let mark = try? JSONDecoder().decode(Mark.self, from: try readFile(path)) else {
            throw PluginError(.dataLoss, "poolUnreadable", "\(path) cannot be read as the mark of a pool")
        }
        guard mark.version == recordVersion else {
            throw PluginError(
                .failedPrecondition, "poolTooNew",
                "\(path) has version \(mark.version), and this plugin reads \(recordVersion) only: use a newer plugin")
        }
        return mark
    }
}
