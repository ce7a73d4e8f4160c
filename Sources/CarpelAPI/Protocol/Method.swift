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

/// A method that answers with a subscription, and then sends its items as notifications of the method's own name.
public struct StreamMethod<Request: ProtoMessage, Item: ProtoMessage>: Sendable {
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
    public static let runtimeConfig = Method<RuntimeConfigRequest, RuntimeConfigResponse>("RuntimeConfig", .view)
    public static let updateRuntimeConfig =
        Method<UpdateRuntimeConfigRequest, EmptyResponse>("UpdateRuntimeConfig", .admin)

    public static let runPodSandbox = Method<RunPodSandboxRequest, RunPodSandboxResponse>("RunPodSandbox", .admin)
    public static let stopPodSandbox = Method<StopPodSandboxRequest, EmptyResponse>("StopPodSandbox", .admin)
    public static let removePodSandbox = Method<RemovePodSandboxRequest, EmptyResponse>("RemovePodSandbox", .admin)
    public static let podSandboxStatus =
        Method<PodSandboxStatusRequest, PodSandboxStatusResponse>("PodSandboxStatus", .view)
    public static let listPodSandbox = Method<ListPodSandboxRequest, ListPodSandboxResponse>("ListPodSandbox", .view)
    public static let streamPodSandboxes =
        StreamMethod<StreamPodSandboxesRequest, StreamPodSandboxesResponse>("StreamPodSandboxes", .view)
    public static let updatePodSandboxResources =
        Method<UpdatePodSandboxResourcesRequest, EmptyResponse>("UpdatePodSandboxResources", .admin)
    public static let checkpointPod = Method<CheckpointPodRequest, EmptyResponse>("CheckpointPod", .admin)
    public static let restorePod = Method<RestorePodRequest, RestorePodResponse>("RestorePod", .admin)

    public static let createContainer =
        Method<CreateContainerRequest, CreateContainerResponse>("CreateContainer", .admin)
    public static let startContainer = Method<StartContainerRequest, EmptyResponse>("StartContainer", .admin)
    public static let stopContainer = Method<StopContainerRequest, EmptyResponse>("StopContainer", .admin)
    public static let removeContainer = Method<RemoveContainerRequest, EmptyResponse>("RemoveContainer", .admin)
    public static let containerStatus =
        Method<ContainerStatusRequest, ContainerStatusResponse>("ContainerStatus", .view)
    public static let listContainers = Method<ListContainersRequest, ListContainersResponse>("ListContainers", .view)
    public static let streamContainers =
        StreamMethod<StreamContainersRequest, StreamContainersResponse>("StreamContainers", .view)
    public static let updateContainerResources =
        Method<UpdateContainerResourcesRequest, EmptyResponse>("UpdateContainerResources", .admin)
    public static let reopenContainerLog =
        Method<ReopenContainerLogRequest, EmptyResponse>("ReopenContainerLog", .admin)
    public static let checkpointContainer =
        Method<CheckpointContainerRequest, EmptyResponse>("CheckpointContainer", .admin)

    public static let execSync = Method<ExecSyncRequest, ExecSyncResponse>("ExecSync", .admin)
    public static let exec = Method<ExecRequest, ExecResponse>("Exec", .admin)
    public static let attach = Method<AttachRequest, AttachResponse>("Attach", .admin)
    public static let portForward = Method<PortForwardRequest, PortForwardResponse>("PortForward", .admin)

    public static let containerStats = Method<ContainerStatsRequest, ContainerStatsResponse>("ContainerStats", .view)
    public static let listContainerStats =
        Method<ListContainerStatsRequest, ListContainerStatsResponse>("ListContainerStats", .view)
    public static let streamContainerStats =
        StreamMethod<StreamContainerStatsRequest, StreamContainerStatsResponse>("StreamContainerStats", .view)
    public static let podSandboxStats =
        Method<PodSandboxStatsRequest, PodSandboxStatsResponse>("PodSandboxStats", .view)
    public static let listPodSandboxStats =
        Method<ListPodSandboxStatsRequest, ListPodSandboxStatsResponse>("ListPodSandboxStats", .view)
    public static let streamPodSandboxStats =
        StreamMethod<StreamPodSandboxStatsRequest, StreamPodSandboxStatsResponse>("StreamPodSandboxStats", .view)
    public static let listMetricDescriptors =
        Method<ListMetricDescriptorsRequest, ListMetricDescriptorsResponse>("ListMetricDescriptors", .view)
    public static let listPodSandboxMetrics =
        Method<ListPodSandboxMetricsRequest, ListPodSandboxMetricsResponse>("ListPodSandboxMetrics", .view)
    public static let streamPodSandboxMetrics =
        StreamMethod<StreamPodSandboxMetricsRequest, StreamPodSandboxMetricsResponse>("StreamPodSandboxMetrics", .view)
    public static let getContainerEvents =
        StreamMethod<GetEventsRequest, ContainerEventResponse>("GetContainerEvents", .view)

    public static let pullImage = Method<PullImageRequest, PullImageResponse>("PullImage", .admin)
    public static let listImages = Method<ListImagesRequest, ListImagesResponse>("ListImages", .view)
    public static let streamImages = StreamMethod<StreamImagesRequest, StreamImagesResponse>("StreamImages", .view)
    public static let imageStatus = Method<ImageStatusRequest, ImageStatusResponse>("ImageStatus", .view)
    public static let removeImage = Method<RemoveImageRequest, EmptyResponse>("RemoveImage", .admin)
    public static let imageFsInfo = Method<ImageFsInfoRequest, ImageFsInfoResponse>("ImageFsInfo", .view)

    public static let runPod = Method<RunPodRequest, RunPodResponse>("RunPod", .admin)
    public static let importImage = Method<ImportImageRequest, ImportImageResponse>("ImportImage", .admin)
    public static let exportImage = Method<ExportImageRequest, EmptyResponse>("ExportImage", .admin)
    public static let doctor = Method<DoctorRequest, DoctorResponse>("Doctor", .view)
    public static let watchNode = StreamMethod<WatchNodeRequest, WatchNodeResponse>("WatchNode", .view)
    public static let unsubscribe = Method<UnsubscribeRequest, EmptyResponse>("Unsubscribe", .view)
    public static let openStream = Method<OpenStreamRequest, EmptyResponse>("OpenStream", .admin)

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
