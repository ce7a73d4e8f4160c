import CarpelPluginSDK
import Glibc

/// A disk to be copied.
struct SourceDisk: Sendable {
    let path: String
    let content: VolumeContent
    let capacityBytes: Int64
    /// A pod may write to it. The caller has frozen its file system; a block volume has none that could be.
    let isPublishedToWriter: Bool

    init(_ volume: VolumeRecord, in folders: PoolFolders) {
        path = folders.volumes.disk(of: volume)
        content = volume.content
        capacityBytes = volume.capacityBytes
        isPublishedToWriter = volume.isPublishedToWriter
    }

    init(_ snapshot: SnapshotRecord, in folders: PoolFolders) {
        path = folders.snapshots.disk(of: snapshot)
        content = snapshot.content
        capacityBytes = snapshot.capacityBytes
        isPublishedToWriter = false
    }
}

extension StorageLocal {
    /// Copies the file as it is. A machine that has a qcow2 file open keeps qemu-img out; its file system is frozen,
    /// and freezing one flushes the disk's caches, QEMU's tables among them: the file is whole.
    ///
    /// - Parameter path: without the format's suffix, which is added.
    /// - Returns: the copy, on disk.
    func copy(_ source: SourceDisk, to path: String, with tools: Tools) async throws -> String {
        guard try fileStatus(source.path) != nil else { throw missing(source.path) }
        let copy = "\(path).\(source.content.format.rawValue)"
        try copyFile(
            source.path, to: copy, isWrittenTo: source.isPublishedToWriter && source.content.mode == .block)
        if source.isPublishedToWriter { try await tools.checkCopy(copy, source.content.format) }
        return copy
    }

    func missing(_ disk: String) -> PluginError {
        PluginError(.dataLoss, "diskMissing", "\(disk) is gone: it was removed by something else than the plugin")
    }
}

extension PoolFolders {
    /// Does work that makes a disk in the temporary folder, and removes what it leaves there.
    ///
    /// - Parameter work: is given a path to which it adds a suffix.
    func withTemporaryDisk<Value>(_ id: String, _ work: (String) async throws -> Value) async throws -> Value {
        let path = "\(temporary)/\(id)"
        defer { for format in DiskFormat.allCases { unlink("\(path).\(format.rawValue)") } }
        return try await work(path)
    }
}

extension RecordFolder {
    /// Gives a finished disk the name that it keeps.
    func adopt(_ disk: String, for record: Record) throws {
        try Task.checkCancellation()
        try renameFile(disk, to: self.disk(of: record))
        try sync()
    }
}
