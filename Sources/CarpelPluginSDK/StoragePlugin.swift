/// What a storage plugin does: CSI's verbs.
///
/// Every verb may be called again after a crash, of the plugin or of the daemon, and several may run at once, each on a
/// thread of its own that it may block. When the caller goes or its time is up the task of the call is cancelled, and
/// has five seconds to end. What must survive belongs into ``PluginEnvironment/stateFolder``. While a new version takes
/// the place of an old one, both run in processes of their own, with the same folder.
public protocol StoragePlugin: Sendable {
    /// - Throws: ``PluginError`` if the plugin cannot work with its configuration.
    init(environment: PluginEnvironment) async throws

    func createVolume(_ request: CreateVolumeRequest) async throws -> Volume
    func deleteVolume(_ request: DeleteVolumeRequest) async throws
    func expandVolume(_ request: ExpandVolumeRequest) async throws -> ExpandVolumeResponse
    func restoreVolume(_ request: RestoreVolumeRequest) async throws -> Volume
    func listVolumes() async throws -> ListVolumesResponse

    func publishVolume(_ request: PublishVolumeRequest) async throws -> VolumePublication
    func unpublishVolume(_ request: UnpublishVolumeRequest) async throws
    func collectPublications(_ request: CollectPublicationsRequest) async throws -> CollectPublicationsResponse

    func createSnapshot(_ request: CreateSnapshotRequest) async throws -> Snapshot
    func deleteSnapshot(_ request: DeleteSnapshotRequest) async throws
    func listSnapshots() async throws -> ListSnapshotsResponse

    func getCapacity() async throws -> GetCapacityResponse
    /// Probe: throws if the plugin cannot do its work now.
    func probe() async throws
}
