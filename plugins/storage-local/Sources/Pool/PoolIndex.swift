import CarpelPluginSDK

/// What the pool's records say, in memory.
struct PoolIndex: Sendable {
    var volumes: [String: VolumeRecord] = [:]
    var snapshots: [String: SnapshotRecord] = [:]
    /// Bytes that verbs under way will take.
    var reservations: [UInt64: Int64] = [:]
    var lastReservation: UInt64 = 0
    /// Records that could not be read, by their paths.
    var unreadable: [String] = []
    /// The disks of which no record tells, while there are such records.
    var unclaimedBytes: Int64 = 0

    func volume(named name: String) -> VolumeRecord? { volumes.values.first { $0.name == name } }
    func snapshot(named name: String) -> SnapshotRecord? { snapshots.values.first { $0.name == name } }

    /// What of the pool's capacity is given away.
    ///
    /// A volume counts with its capacity, so that it can be filled; a snapshot, which never changes, with what it took.
    var committedBytes: Int64 {
        volumes.values.reduce(0) { $0 + $1.capacityBytes } + snapshots.values.reduce(0) { $0 + $1.allocatedBytes }
            + reservations.values.reduce(0, +) + unclaimedBytes
    }
}
