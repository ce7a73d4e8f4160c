import CarpelPluginSDK
import Glibc
import Synchronization

/// The pool: what is in it, what it still takes, and who may work on what.
final class Pool: Sendable {
    let folders: PoolFolders
    /// nil: what the file system has.
    let fixedCapacity: Int64?

    private let index: Index
    private let locks = KeyedLocks()
    private let turn: PoolTurn

    fileprivate final class Index: Sendable {
        let value = Mutex(PoolIndex())
    }

    init(folders: PoolFolders, fixedCapacity: Int64?) {
        self.folders = folders
        self.fixedCapacity = fixedCapacity
        let index = Index()
        self.index = index
        turn = PoolTurn(
            lock: folders.lock, prepare: folders.prepare,
            load: {
                let loaded = try folders.load()
                index.value.withLock { $0 = loaded }
            })
    }

    /// Does a verb's work in this process' turn, alone with the things that `keys` name.
    ///
    /// - Throws: what the work throws, `CancellationError`, or ``PluginError`` if the pool cannot be read.
    func perform<Value>(_ keys: [LockKey] = [], work: (Tools) async throws -> Value) async throws -> Value {
        let tools = Tools(lock: try await turn.enter())
        defer { turn.leave() }
        return try await locks.hold(keys) {
            try Task.checkCancellation()
            return try await work(tools)
        }
    }

    func read<Value: Sendable>(_ question: (PoolIndex) -> Value) -> Value { index.value.withLock { question($0) } }

    // MARK: What is in it

    /// - Throws: ``PluginError`` with `volumeNotFound`.
    func volume(_ id: String) throws -> VolumeRecord {
        if let volume = read({ $0.volumes[id] }) { return volume }
        throw PluginError(.notFound, "volumeNotFound", "there is no volume \"\(id)\"")
    }

    /// - Throws: ``PluginError`` with `snapshotNotFound`.
    func snapshot(_ id: String) throws -> SnapshotRecord {
        if let snapshot = read({ $0.snapshots[id] }) { return snapshot }
        throw PluginError(.notFound, "snapshotNotFound", "there is no snapshot \"\(id)\"")
    }

    /// Makes a new volume of a finished disk.
    func add(_ record: VolumeRecord, disk: String, using reservation: Reservation) throws {
        try add(record, disk: disk, to: folders.volumes, \.volumes, using: reservation)
    }

    func add(_ record: SnapshotRecord, disk: String, using reservation: Reservation) throws {
        try add(record, disk: disk, to: folders.snapshots, \.snapshots, using: reservation)
    }

    /// Makes the record the volume's state.
    ///
    /// - Parameter reservation: for what it adds; it is used up.
    func update(_ record: VolumeRecord, using reservation: Reservation? = nil) throws {
        try commit(record, to: folders.volumes, \.volumes, using: reservation)
    }

    func remove(_ record: VolumeRecord) throws { try remove(record, from: folders.volumes, \.volumes) }
    func remove(_ record: SnapshotRecord) throws { try remove(record, from: folders.snapshots, \.snapshots) }

    private typealias Part<Record> = WritableKeyPath<PoolIndex, [String: Record]>

    /// The disk gets its name before there is a record of it: one without a record is a leftover and does no harm.
    private func add<Record>(
        _ record: Record, disk: String, to folder: RecordFolder<Record>, _ part: Part<Record>,
        using reservation: Reservation
    ) throws {
        do {
            try folder.adopt(disk, for: record)
            try Task.checkCancellation()
            try commit(record, to: folder, part, using: reservation)
        } catch {
            if read({ $0[keyPath: part][record.id] }) == nil { unlink(folder.disk(of: record)) }
            throw error
        }
    }

    private func commit<Record>(
        _ record: Record, to folder: RecordFolder<Record>, _ part: Part<Record>,
        using reservation: Reservation?
    ) throws {
        try folder.place(record)
        // The files have changed, whether or not the sync succeeds.
        let number = reservation?.number
        index.value.withLock { index in
            if let number { index.reservations[number] = nil }
            index[keyPath: part][record.id] = record
        }
        try folder.sync()
    }

    /// Removes the record, durably, and then the disk: were the disk gone first, a crash would leave half a volume.
    private func remove<Record>(
        _ record: Record, from folder: RecordFolder<Record>, _ part: Part<Record>
    ) throws {
        try folder.remove(record)
        index.value.withLock { $0[keyPath: part][record.id] = nil }
        try folder.sync()
        // One that stays is a leftover, which the next start removes.
        if unlink(folder.disk(of: record)) != 0, errno != ENOENT {
            log("\(systemError("cannot remove \(folder.disk(of: record))"))")
        }
    }

    // MARK: What it still takes

    /// Bytes of the capacity that nobody else gets, until they are part of a record, or no longer wanted.
    final class Reservation: Sendable {
        fileprivate let number: UInt64
        private let index: Index

        fileprivate init(number: UInt64, in index: Index) {
            self.number = number
            self.index = index
        }

        deinit { _ = index.value.withLock { $0.reservations.removeValue(forKey: number) } }
    }

    /// - Throws: ``PluginError`` with `poolFull`.
    func reserve(_ bytes: Int64) throws -> Reservation {
        let number = try index.value.withLock { index in
            let capacity = try capacityBytes(index)
            let available = capacity - index.committedBytes
            guard bytes <= available else {
                throw PluginError(
                    .resourceExhausted, "poolFull",
                    "the pool \(folders.pool) has \(max(0, available)) bytes left of \(capacity), and \(bytes) are "
                        + "asked for: remove volumes or snapshots, or make the pool larger")
            }
            index.lastReservation += 1
            index.reservations[index.lastReservation] = bytes
            return index.lastReservation
        }
        return Reservation(number: number, in: self.index)
    }

    func capacity() throws -> GetCapacityResponse {
        try index.value.withLock { index in
            let capacity = try capacityBytes(index)
            return GetCapacityResponse(
                capacityBytes: capacity, availableBytes: max(0, capacity - index.committedBytes))
        }
    }

    /// Unless one is configured: what the file system still has for the plugin, with what the pool has of it already.
    private func capacityBytes(_ index: PoolIndex) throws -> Int64 {
        if let fixedCapacity { return fixedCapacity }
        var status = statvfs()
        guard statvfs(folders.pool, &status) == 0 else { throw systemError("cannot examine \(folders.pool)") }
        let disks = index.volumes.values.map(folders.volumes.disk) + index.snapshots.values.map(folders.snapshots.disk)
        let taken = try disks.reduce(Int64(0)) { try $0 + (fileStatus($1)?.allocatedBytes ?? 0) }
        // Blocks that files share are in `taken` once for each of them.
        return min(
            Int64(status.f_bavail) * Int64(status.f_frsize) + taken, Int64(status.f_blocks) * Int64(status.f_frsize))
    }
}
