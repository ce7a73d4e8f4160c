import CarpelPluginSDK
import Glibc
import Synchronization

/// A network that answers what tests can tell apart.
struct RecordingNetwork: NetworkPlugin {
    struct Odd: Error {}
    struct Configuration: Decodable {
        struct Range: Decodable { let first: String }
        let ranges: [Range]?
    }

    static let whenWaiting = Mutex<@Sendable () -> Void>({})
    /// Calls that must be in DEL at once before any of them returns.
    static let barrier = Mutex(0)

    init(environment: PluginEnvironment) async throws {
        _ = try environment.configuration(as: Configuration.self)
    }

    func add(_ request: NetworkAddRequest) async throws -> NetworkAttachment {
        NetworkAttachment(device: "tap0", macAddress: "m", mtu: 1, addresses: [])
    }

    func delete(_ request: NetworkDeleteRequest) async throws {
        switch request.podID {
        case "odd": throw Odd()
        case "wait":
            Self.whenWaiting.withLock { $0 }()
            try await Task.sleep(for: .seconds(600))
        case "barrier":
            Self.barrier.withLock { $0 -= 1 }
            while Self.barrier.withLock({ $0 > 0 }) { usleep(1000) }
        default: break
        }
    }

    func check(_ request: NetworkCheckRequest) async throws {
        throw PluginError(.notFound, "gone", "gone")
    }

    func collectGarbage(_ request: NetworkCollectRequest) async throws -> NetworkCollectResponse {
        NetworkCollectResponse(removed: request.valid)
    }

    func status() async throws {}
}

/// An actor, on which the calls of many threads meet.
actor CountingNetwork: NetworkPlugin {
    private var count = 0

    init(environment: PluginEnvironment) {}
    func add(_ request: NetworkAddRequest) throws -> NetworkAttachment { throw CancellationError() }
    func delete(_ request: NetworkDeleteRequest) {}
    func check(_ request: NetworkCheckRequest) {}

    func collectGarbage(_ request: NetworkCollectRequest) throws -> NetworkCollectResponse {
        throw PluginError(.outOfRange, "count", "\(count)")
    }

    func status() async {
        count += 1
        await Task.yield()
    }
}

/// Storage whose errors tell which method was called.
struct RecordingStorage: StoragePlugin {
    init(environment: PluginEnvironment) async throws {}

    private func called(_ verb: StorageVerb) -> PluginError { PluginError(.aborted, verb.rawValue, "") }

    func createVolume(_ request: CreateVolumeRequest) async throws -> Volume { throw called(.createVolume) }
    func deleteVolume(_ request: DeleteVolumeRequest) async throws { throw called(.deleteVolume) }
    func expandVolume(_ request: ExpandVolumeRequest) async throws -> ExpandVolumeResponse {
        throw called(.expandVolume)
    }
    func restoreVolume(_ request: RestoreVolumeRequest) async throws -> Volume { throw called(.restoreVolume) }
    func listVolumes() async throws -> ListVolumesResponse { throw called(.listVolumes) }
    func publishVolume(_ request: PublishVolumeRequest) async throws -> VolumePublication {
        throw called(.publishVolume)
    }
    func unpublishVolume(_ request: UnpublishVolumeRequest) async throws { throw called(.unpublishVolume) }
    func collectPublications(_ request: CollectPublicationsRequest) async throws -> CollectPublicationsResponse {
        throw called(.collectPublications)
    }
    func createSnapshot(_ request: CreateSnapshotRequest) async throws -> Snapshot { throw called(.createSnapshot) }
    func deleteSnapshot(_ request: DeleteSnapshotRequest) async throws { throw called(.deleteSnapshot) }
    func listSnapshots() async throws -> ListSnapshotsResponse { throw called(.listSnapshots) }
    func getCapacity() async throws -> GetCapacityResponse { throw called(.getCapacity) }
    func probe() async throws { throw called(.probe) }
}
