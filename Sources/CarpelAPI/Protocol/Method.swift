/// Who may call a method, from the peer's uid and gid.
public enum Role: String, Codable, Sendable, Comparable {
    /// Methods that change nothing.
    case view
    case admin

    public static func < (left: Role, right: Role) -> Bool { left == .view && right == .admin }
}

/// A method of the socket: its name on the wire and its messages.
public struct Method<Request: ProtoMessage, Response: ProtoMessage>: Sendable {
    public let name: String
    public let role: Role

    init(_ name: String, _ role: Role) {
        self.name = name
        self.role = role
    }
}

/// CRI v1's methods that Carpel has, by CRI's names, and after them Carpel's own.
public enum Methods {
    public static let version = Method<VersionRequest, VersionResponse>("Version", .view)
    public static let status = Method<StatusRequest, StatusResponse>("Status", .view)

    public static let runPodSandbox = Method<RunPodSandboxRequest, RunPodSandboxResponse>("RunPodSandbox", .admin)
    public static let stopPodSandbox = Method<StopPodSandboxRequest, EmptyResponse>("StopPodSandbox", .admin)
    public static let removePodSandbox = Method<RemovePodSandboxRequest, EmptyResponse>("RemovePodSandbox", .admin)
    public static let podSandboxStatus =
        Method<PodSandboxStatusRequest, PodSandboxStatusResponse>("PodSandboxStatus", .view)
    public static let listPodSandbox = Method<ListPodSandboxRequest, ListPodSandboxResponse>("ListPodSandbox", .view)

    public static let createContainer =
        Method<CreateContainerRequest, CreateContainerResponse>("CreateContainer", .admin)
    public static let startContainer = Method<StartContainerRequest, EmptyResponse>("StartContainer", .admin)
    public static let stopContainer = Method<StopContainerRequest, EmptyResponse>("StopContainer", .admin)
    public static let removeContainer = Method<RemoveContainerRequest, EmptyResponse>("RemoveContainer", .admin)
    public static let containerStatus =
        Method<ContainerStatusRequest, ContainerStatusResponse>("ContainerStatus", .view)
    public static let listContainers = Method<ListContainersRequest, ListContainersResponse>("ListContainers", .view)
    public static let execSync = Method<ExecSyncRequest, ExecSyncResponse>("ExecSync", .admin)

    public static let pullImage = Method<PullImageRequest, PullImageResponse>("PullImage", .admin)
    public static let listImages = Method<ListImagesRequest, ListImagesResponse>("ListImages", .view)
    public static let imageStatus = Method<ImageStatusRequest, ImageStatusResponse>("ImageStatus", .view)
    public static let removeImage = Method<RemoveImageRequest, EmptyResponse>("RemoveImage", .admin)
    public static let imageFsInfo = Method<ImageFsInfoRequest, ImageFsInfoResponse>("ImageFsInfo", .view)

    public static let importImage = Method<ImportImageRequest, ImportImageResponse>("ImportImage", .admin)
    public static let exportImage = Method<ExportImageRequest, EmptyResponse>("ExportImage", .admin)
    public static let doctor = Method<DoctorRequest, DoctorResponse>("Doctor", .view)

    public static let listPlugins = Method<ListPluginsRequest, ListPluginsResponse>("ListPlugins", .view)
    /// Not for those who may only look: a plugin's configuration can hold secrets.
    public static let pluginStatus = Method<PluginStatusRequest, PluginStatusResponse>("PluginStatus", .admin)
    public static let reloadPlugin = Method<ReloadPluginRequest, ReloadPluginResponse>("ReloadPlugin", .admin)

    public static let listNetworks = Method<ListNetworksRequest, ListNetworksResponse>("ListNetworks", .view)
    public static let attachNetwork = Method<AttachNetworkRequest, AttachNetworkResponse>("AttachNetwork", .admin)
    public static let detachNetwork = Method<DetachNetworkRequest, EmptyResponse>("DetachNetwork", .admin)

    public static let createVolume = Method<CreateVolumeRequest, CreateVolumeResponse>("CreateVolume", .admin)
    public static let removeVolume = Method<RemoveVolumeRequest, EmptyResponse>("RemoveVolume", .admin)
    public static let expandVolume = Method<ExpandVolumeRequest, ExpandVolumeResponse>("ExpandVolume", .admin)
    public static let restoreVolume = Method<RestoreVolumeRequest, RestoreVolumeResponse>("RestoreVolume", .admin)
    public static let listVolumes = Method<ListVolumesRequest, ListVolumesResponse>("ListVolumes", .view)
    public static let volumeStatus = Method<VolumeStatusRequest, VolumeStatusResponse>("VolumeStatus", .view)
    public static let createVolumeSnapshot =
        Method<CreateVolumeSnapshotRequest, CreateVolumeSnapshotResponse>("CreateVolumeSnapshot", .admin)
    public static let listVolumeSnapshots =
        Method<ListVolumeSnapshotsRequest, ListVolumeSnapshotsResponse>("ListVolumeSnapshots", .view)
    public static let removeVolumeSnapshot =
        Method<RemoveVolumeSnapshotRequest, EmptyResponse>("RemoveVolumeSnapshot", .admin)
}

/// Names of notifications that the server sends.
public enum Notifications {
    /// `PullProgressNotification`, while a PullImage with `progress` is under way.
    public static let pullProgress = "PullProgress"
}
