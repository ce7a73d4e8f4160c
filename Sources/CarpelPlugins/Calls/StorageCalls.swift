import CarpelCore
import CarpelPluginSDK

/// The verbs of one storage plugin. Timeouts and errors are those of ``NetworkCalls``.
///
/// UnpublishVolume reaches the version of the plugin that has done the PublishVolume.
public struct StorageCalls: Sendable {
    let plugin: any PluginCalling

    public func createVolume(_ request: CreateVolumeRequest, timeout: Duration? = nil) async throws -> Volume {
        try await call(.createVolume, request, request.source == nil ? timeout : timeout ?? plugin.limits.copy)
    }

    public func deleteVolume(_ request: DeleteVolumeRequest, timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.deleteVolume, request, timeout)
    }

    public func expandVolume(
        _ request: ExpandVolumeRequest, timeout: Duration? = nil
    ) async throws -> ExpandVolumeResponse {
        let expanded: ExpandVolumeResponse = try await call(.expandVolume, request, timeout)
        guard expanded.capacityBytes >= request.capacityBytes else {
            throw plugin.malformed(
                StorageVerb.expandVolume.rawValue,
                "capacityBytes: \(expanded.capacityBytes) is less than the \(request.capacityBytes) asked for")
        }
        return expanded
    }

    public func restoreVolume(_ request: RestoreVolumeRequest, timeout: Duration? = nil) async throws -> Volume {
        try await call(.restoreVolume, request, timeout ?? plugin.limits.copy)
    }

    public func listVolumes(timeout: Duration? = nil) async throws -> ListVolumesResponse {
        try await call(.listVolumes, NoMembers(), timeout)
    }

    public func publishVolume(
        _ request: PublishVolumeRequest, timeout: Duration? = nil
    ) async throws -> VolumePublication {
        try await call(.publishVolume, request, timeout, .takes(request.user))
    }

    public func unpublishVolume(_ request: UnpublishVolumeRequest, timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.unpublishVolume, request, timeout, .gives(request.user))
    }

    public func collectPublications(
        _ request: CollectPublicationsRequest, timeout: Duration? = nil
    ) async throws -> CollectPublicationsResponse {
        let valid = Set(request.valid.map(\.user))
        return try await call(.collectPublications, request, timeout, .givesAll { !valid.contains($0) })
    }

    public func createSnapshot(_ request: CreateSnapshotRequest, timeout: Duration? = nil) async throws -> Snapshot {
        try await call(.createSnapshot, request, timeout ?? plugin.limits.copy)
    }

    public func deleteSnapshot(_ request: DeleteSnapshotRequest, timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.deleteSnapshot, request, timeout)
    }

    public func listSnapshots(timeout: Duration? = nil) async throws -> ListSnapshotsResponse {
        try await call(.listSnapshots, NoMembers(), timeout)
    }

    public func getCapacity(timeout: Duration? = nil) async throws -> GetCapacityResponse {
        try await call(.getCapacity, NoMembers(), timeout)
    }

    public func probe(timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.probe, NoMembers(), timeout)
    }

    private func call<Request: Encodable & Sendable, Answer: Decodable & Sendable>(
        _ verb: StorageVerb, _ request: Request, _ timeout: Duration?, _ use: AttachmentUse = .none
    ) async throws -> Answer {
        try await plugin.typedCall(verb.rawValue, request, timeout: timeout, use: use)
    }
}

extension PublishVolumeRequest {
    fileprivate var user: AttachmentUser { AttachmentUser(of: [volumeID, podID]) }
}

extension UnpublishVolumeRequest {
    fileprivate var user: AttachmentUser { AttachmentUser(of: [volumeID, podID]) }
}
