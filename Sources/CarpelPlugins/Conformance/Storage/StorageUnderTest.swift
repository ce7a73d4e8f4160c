import CarpelPluginSDK
import Foundation
import Synchronization

/// A storage plugin that is checked. It remembers what it made, so that a check leaves nothing.
final class StorageUnderTest: Sendable {
    let plugin: PluginUnderTest
    private let made = Mutex(Made())

    private struct Made {
        var volumes: Set<String> = []
        var snapshots: Set<String> = []
        var publications: Set<UnpublishVolumeRequest> = []
    }

    /// What checks ask for: large enough for every file system.
    static let capacity: Int64 = 320 << 20

    init(_ plugin: PluginUnderTest) { self.plugin = plugin }

    // MARK: Volumes

    func newRequest(_ mode: VolumeMode = .block, capacity: Int64 = StorageUnderTest.capacity) -> CreateVolumeRequest {
        CreateVolumeRequest(name: uniqueName("volume"), capacityBytes: capacity, mode: mode)
    }

    func create(_ request: CreateVolumeRequest, timeout: Duration = .seconds(120)) async throws -> Volume {
        let volume: Volume = try await plugin.result(of: "CreateVolume", request, timeout: timeout)
        made.withLock { _ = $0.volumes.insert(volume.id) }
        return volume
    }

    func createBlock() async throws -> Volume { try await create(newRequest()) }

    func delete(_ id: String) async throws {
        let _: NoMembers = try await plugin.result(of: "DeleteVolume", DeleteVolumeRequest(volumeID: id))
        made.withLock { _ = $0.volumes.remove(id) }
    }

    func expand(_ id: String, to capacity: Int64) async throws -> ExpandVolumeResponse {
        try await plugin.result(of: "ExpandVolume", ExpandVolumeRequest(volumeID: id, capacityBytes: capacity))
    }

    func restore(_ id: String, from snapshot: String) async throws -> Volume {
        try await plugin.result(of: "RestoreVolume", RestoreVolumeRequest(volumeID: id, snapshotID: snapshot))
    }

    func list() async throws -> [Volume] {
        let response: ListVolumesResponse = try await plugin.result(of: "ListVolumes", NoMembers())
        return response.volumes
    }

    func volume(_ id: String) async throws -> Volume {
        guard let volume = try await list().first(where: { $0.id == id }) else {
            throw CheckFailure("ListVolumes does not list the volume \(id)")
        }
        return volume
    }

    // MARK: Publications

    func publish(
        _ id: String, to pod: String = uniquePodID(), as mode: VolumeAccessMode = .singleWriter
    ) async throws -> VolumePublication {
        let request = PublishVolumeRequest(volumeID: id, podID: pod, accessMode: mode)
        made.withLock { _ = $0.publications.insert(UnpublishVolumeRequest(volumeID: id, podID: pod)) }
        return try await plugin.result(of: "PublishVolume", request)
    }

    func unpublish(_ id: String, from pod: String) async throws {
        let request = UnpublishVolumeRequest(volumeID: id, podID: pod)
        let _: NoMembers = try await plugin.result(of: "UnpublishVolume", request)
        made.withLock { _ = $0.publications.remove(request) }
    }

    func collect(keeping valid: [UnpublishVolumeRequest]) async throws -> Set<UnpublishVolumeRequest> {
        let response: CollectPublicationsResponse = try await plugin.result(
            of: "CollectPublications", CollectPublicationsRequest(valid: valid))
        return Set(response.removed)
    }

    // MARK: Snapshots

    func snapshot(_ volume: String, as name: String = uniqueName("snapshot")) async throws -> Snapshot {
        let request = CreateSnapshotRequest(name: name, sourceVolumeID: volume)
        let snapshot: Snapshot = try await plugin.result(of: "CreateSnapshot", request, timeout: .seconds(120))
        made.withLock { _ = $0.snapshots.insert(snapshot.id) }
        return snapshot
    }

    func deleteSnapshot(_ id: String) async throws {
        let _: NoMembers = try await plugin.result(of: "DeleteSnapshot", DeleteSnapshotRequest(snapshotID: id))
        made.withLock { _ = $0.snapshots.remove(id) }
    }

    func listSnapshots() async throws -> [Snapshot] {
        let response: ListSnapshotsResponse = try await plugin.result(of: "ListSnapshots", NoMembers())
        return response.snapshots
    }

    // MARK: The pool

    func capacity() async throws -> GetCapacityResponse {
        try await plugin.result(of: "GetCapacity", NoMembers())
    }

    func probe() async throws {
        let _: NoMembers = try await plugin.result(of: "Probe", NoMembers())
    }

    /// Removes what a check has left.
    func clean() async {
        let made = made.withLock { $0 }
        for publication in made.publications {
            try? await unpublish(publication.volumeID, from: publication.podID)
        }
        for snapshot in made.snapshots { try? await deleteSnapshot(snapshot) }
        for volume in made.volumes { try? await delete(volume) }
        // A snapshot or volume that another one needed goes now.
        for snapshot in self.made.withLock({ $0.snapshots }) { try? await deleteSnapshot(snapshot) }
    }
}
