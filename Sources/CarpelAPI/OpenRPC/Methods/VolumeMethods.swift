extension MethodDescription {
    static let volumes = [
        MethodDescription(
            Methods.createVolume, "Makes a volume of a storage plugin, empty or from another's content.",
            required: ["name"], reasons: [.pluginNotFound, .volumeNotFound, .snapshotNotFound, .noSpace],
            example: CreateVolumeRequest {
                $0.name = "data"
                $0.capacityBytes = 64 * ExampleValues.mebibyte
            },
            result: CreateVolumeResponse { $0.volume = data }),
        MethodDescription(
            Methods.expandVolume, "Makes a volume larger, and the file system in it, where a pod has it, at once.",
            required: ["volume", "capacityBytes"], reasons: [.volumeNotFound, .noSpace],
            example: ExpandVolumeRequest {
                $0.volume = "data"
                $0.capacityBytes = 128 * ExampleValues.mebibyte
            },
            result: ExpandVolumeResponse { $0.volume = data }),
        MethodDescription(
            Methods.volumeStatus, "Tells of one volume.", required: ["volume"], reasons: [.volumeNotFound],
            example: VolumeStatusRequest { $0.volume = "data" },
            result: VolumeStatusResponse { $0.volume = data }),
        MethodDescription(
            Methods.listVolumes, "Lists the volumes of one storage plugin or of all, and their pools.",
            result: ListVolumesResponse {
                $0.volumes = [data]
                $0.pools = [StoragePool { $0.plugin = "storage-local" }]
            }),
        MethodDescription(
            Methods.createVolumeSnapshot, "Keeps what a volume holds now.", required: ["volume", "name"],
            reasons: [.volumeNotFound, .noSpace],
            example: CreateVolumeSnapshotRequest {
                $0.volume = "data"
                $0.name = "before"
            },
            result: CreateVolumeSnapshotResponse { $0.snapshot = before }),
        MethodDescription(
            Methods.listVolumeSnapshots, "Lists snapshots, the oldest first.",
            result: ListVolumeSnapshotsResponse { $0.snapshots = [before] }),
        MethodDescription(
            Methods.restoreVolume, "Gives a volume that no pod has the content of one of its snapshots.",
            required: ["volume", "snapshot"], reasons: [.volumeNotFound, .snapshotNotFound, .volumeInUse],
            example: RestoreVolumeRequest {
                $0.volume = "data"
                $0.snapshot = "before"
            },
            result: RestoreVolumeResponse { $0.volume = data }),
        MethodDescription(
            Methods.removeVolumeSnapshot, "Removes a snapshot. One that is not there is fine.", required: ["snapshot"],
            example: RemoveVolumeSnapshotRequest { $0.snapshot = "before" },
            result: EmptyResponse()),
        MethodDescription(
            Methods.removeVolume, "Removes a volume that no pod has. One that is not there is fine.",
            required: ["volume"], reasons: [.volumeInUse],
            example: RemoveVolumeRequest { $0.volume = "data" },
            result: EmptyResponse()),
    ]

    private static let data = VolumeInfo {
        $0.name = "data"
        $0.plugin = "storage-local"
    }

    private static let before = VolumeSnapshotInfo { $0.name = "before" }
}
