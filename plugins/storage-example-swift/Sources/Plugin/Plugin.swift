import CarpelPluginSDK
import FoundationEssentials
import Glibc

@_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(storage: SparseFiles.self) }

/// Volumes as sparse files, and snapshots as copies of them. A volume's id is its name.
///
/// A file is made before the state mentions it and removed after it no longer does: a crash leaves at most a file that
/// nothing mentions, which the next start removes. An actor does one verb at a time, so that files and state agree.
actor SparseFiles: StoragePlugin {
    private let pool: Pool
    private let defaultCapacity: Int64
    private var state: StateFile

    private struct Configuration: Decodable {
        /// Of a volume that asks for none.
        var defaultCapacityBytes: Int64?
    }

    init(environment: PluginEnvironment) async throws {
        let configuration = try JSONDecoder().decode(Configuration.self, from: Data(environment.configuration))
        defaultCapacity = configuration.defaultCapacityBytes ?? 1 << 30
        pool = Pool(folder: environment.stateFolder, machineGroup: environment.machineGroup)
        state = try StateFile(folder: environment.stateFolder)
        let files = state.content.volumes.keys.map(pool.disk) + state.content.snapshots.keys.map(pool.copy)
        try pool.removeDisks(except: Set(files))
    }

    // MARK: Volumes

    func createVolume(_ request: CreateVolumeRequest) async throws -> Volume {
        try checkName(request.name)
        guard request.parameters.isEmpty else {
            throw PluginError(.invalidArgument, "parameterUnknown", "this plugin has no parameters")
        }
        if let record = state.content.volumes[request.name] {
            guard record.request == request else {
                throw PluginError(.alreadyExists, "volumeDiffers", "there is another volume \(request.name)")
            }
            return describe(record)
        }
        let (source, least) = try source(of: request)
        guard request.capacityBytes >= 0 else {
            throw PluginError(.invalidArgument, "capacityImpossible", "a capacity is not negative")
        }
        guard request.capacityBytes == 0 || request.capacityBytes >= least else {
            throw PluginError(.outOfRange, "capacityTooSmall", "the source has \(least) bytes")
        }
        let wanted = request.capacityBytes > 0 ? request.capacityBytes : least > 0 ? least : defaultCapacity
        let capacity = try pool.rounded(wanted)
        let hasFileSystem = request.mode == .filesystem
        try pool.makeDisk(pool.disk(of: request.name), capacity, copying: source, hasFileSystem: hasFileSystem)
        let record = VolumeRecord(
            request: request,
            volume: Volume(
                id: request.name, name: request.name, capacityBytes: capacity, mode: request.mode,
                source: request.source, createdAt: now()))
        try state.change { $0.volumes[request.name] = record }
        return describe(record)
    }

    func deleteVolume(_ request: DeleteVolumeRequest) async throws {
        guard let record = state.content.volumes[request.volumeID] else { return }
        try checkIsFree(record)
        try state.change { $0.volumes[request.volumeID] = nil }
        unlink(pool.disk(of: request.volumeID))
    }

    func expandVolume(_ request: ExpandVolumeRequest) async throws -> ExpandVolumeResponse {
        let record = try volume(request.volumeID)
        guard request.capacityBytes > record.volume.capacityBytes else {
            return ExpandVolumeResponse(capacityBytes: record.volume.capacityBytes, resizedByMachine: false)
        }
        try checkIsFree(record)
        let capacity = try pool.rounded(request.capacityBytes)
        let hasFileSystem = record.volume.mode == .filesystem
        try pool.lengthen(pool.disk(of: request.volumeID), to: capacity, hasFileSystem: hasFileSystem)
        try state.change { $0.volumes[request.volumeID]?.volume.capacityBytes = capacity }
        return ExpandVolumeResponse(capacityBytes: capacity, resizedByMachine: false)
    }

    func restoreVolume(_ request: RestoreVolumeRequest) async throws -> Volume {
        let (record, snapshot) = (try volume(request.volumeID), try snapshot(request.snapshotID))
        try checkIsFree(record)
        guard snapshot.sourceVolumeID == request.volumeID else {
            throw PluginError(.invalidArgument, "snapshotOfAnother", "\(snapshot.id) is of \(snapshot.sourceVolumeID)")
        }
        try pool.makeDisk(
            pool.disk(of: request.volumeID), record.volume.capacityBytes, copying: pool.copy(of: snapshot.id),
            hasFileSystem: record.volume.mode == .filesystem)
        return describe(record)
    }

    func listVolumes() async throws -> ListVolumesResponse {
        ListVolumesResponse(
            volumes: state.content.volumes.values.map(describe).sorted { ($0.name, $0.id) < ($1.name, $1.id) })
    }

    // MARK: Publications

    func publishVolume(_ request: PublishVolumeRequest) async throws -> VolumePublication {
        let record = try volume(request.volumeID)
        for (pod, mode) in record.pods {
            let areReaders = mode == .multiReader && request.accessMode == .multiReader
            let fits = pod == request.podID ? mode == request.accessMode : areReaders
            guard fits else {
                throw PluginError(.failedPrecondition, "volumeInUse", "the pod \(pod) has it as \(mode.rawValue)")
            }
        }
        if record.pods[request.podID] == nil {
            try state.change { $0.volumes[request.volumeID]?.pods[request.podID] = request.accessMode }
        }
        return VolumePublication(
            path: pool.disk(of: request.volumeID), format: .raw, readOnly: request.accessMode == .multiReader,
            mode: record.volume.mode, fsType: record.volume.mode == .filesystem ? "ext4" : nil)
    }

    func unpublishVolume(_ request: UnpublishVolumeRequest) async throws {
        guard state.content.volumes[request.volumeID]?.pods[request.podID] != nil else { return }
        try state.change { $0.volumes[request.volumeID]?.pods[request.podID] = nil }
    }

    func collectPublications(_ request: CollectPublicationsRequest) async throws -> CollectPublicationsResponse {
        let all = state.content.volumes.flatMap { id, record in
            record.pods.keys.map { UnpublishVolumeRequest(volumeID: id, podID: $0) }
        }
        let removed = Set(all).subtracting(request.valid)
        try state.change { content in
            for publication in removed { content.volumes[publication.volumeID]?.pods[publication.podID] = nil }
        }
        return CollectPublicationsResponse(removed: Array(removed))
    }

    // MARK: Snapshots

    func createSnapshot(_ request: CreateSnapshotRequest) async throws -> Snapshot {
        try checkName(request.name)
        if let snapshot = state.content.snapshots[request.name] {
            guard snapshot.sourceVolumeID == request.sourceVolumeID else {
                throw PluginError(.alreadyExists, "snapshotDiffers", "it is of \(snapshot.sourceVolumeID)")
            }
            return snapshot
        }
        let volume = try volume(request.sourceVolumeID).volume
        try pool.makeDisk(
            pool.copy(of: request.name), volume.capacityBytes, copying: pool.disk(of: volume.id),
            hasFileSystem: volume.mode == .filesystem)
        let snapshot = Snapshot(
            id: request.name, name: request.name, sourceVolumeID: volume.id, capacityBytes: volume.capacityBytes,
            createdAt: now())
        try state.change { $0.snapshots[request.name] = snapshot }
        return snapshot
    }

    func deleteSnapshot(_ request: DeleteSnapshotRequest) async throws {
        guard state.content.snapshots[request.snapshotID] != nil else { return }
        try state.change { $0.snapshots[request.snapshotID] = nil }
        unlink(pool.copy(of: request.snapshotID))
    }

    func listSnapshots() async throws -> ListSnapshotsResponse {
        ListSnapshotsResponse(
            snapshots: state.content.snapshots.values.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) })
    }

    // MARK: The pool

    func getCapacity() async throws -> GetCapacityResponse { try pool.capacity() }

    func probe() async throws { _ = try pool.capacity() }

    // MARK: What they share

    private func volume(_ id: String) throws -> VolumeRecord {
        if let record = state.content.volumes[id] { return record }
        throw PluginError(.notFound, "volumeNotFound", "there is no volume \(id)")
    }

    private func snapshot(_ id: String) throws -> Snapshot {
        if let snapshot = state.content.snapshots[id] { return snapshot }
        throw PluginError(.notFound, "snapshotNotFound", "there is no snapshot \(id)")
    }

    /// The file to copy, if there is one, and its capacity.
    private func source(of request: CreateVolumeRequest) throws -> (file: String?, capacity: Int64) {
        switch request.source {
        case .snapshot(let id): (pool.copy(of: id), try snapshot(id).capacityBytes)
        case .volume(let id): (pool.disk(of: id), try volume(id).volume.capacityBytes)
        case nil: (nil, 0)
        }
    }

    /// A volume with what changes: who has it, and what it takes.
    private func describe(_ record: VolumeRecord) -> Volume {
        var volume = record.volume
        volume.publishedTo = record.pods.keys.sorted()
        volume.allocatedBytes = pool.allocatedBytes(of: pool.disk(of: volume.id))
        return volume
    }

    private func checkIsFree(_ record: VolumeRecord) throws {
        guard record.pods.isEmpty else {
            throw PluginError(
                .failedPrecondition, "volumeInUse", "pods have it: \(record.pods.keys.sorted().joined(separator: ", "))"
            )
        }
    }

    private func checkName(_ name: String) throws {
        let isName = name.utf8.allSatisfy { byte in
            switch UInt8(byte) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard isName, !name.isEmpty, name.utf8.count <= 128 else {
            throw PluginError(
                .invalidArgument, "nameImpossible", "a name has letters, digits, \"-\", \"_\" and \".\", at most 128")
        }
    }

    private func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
