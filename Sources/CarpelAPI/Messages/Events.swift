public struct GetEventsRequest: ProtoMessage {
    public init() {}
}

public enum ContainerEventType: String, ProtoEnum {
    case CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT, CONTAINER_STOPPED_EVENT, CONTAINER_DELETED_EVENT
}

/// A change of a container, or of a pod, whose id `containerId` is then, with the states right after it.
public struct ContainerEventResponse: ProtoMessage {
    @Field public var containerId: String
    @Field public var containerEventType: ContainerEventType
    @Field public var createdAt: Int64
    @Field public var podSandboxStatus: PodSandboxStatus?
    /// Of all containers of the pod.
    @Field public var containersStatuses: [ContainerStatus]
    public init() {}
}

/// Carpel's own: every change of everything on the node.
public struct WatchNodeRequest: ProtoMessage {
    /// The last revision that the caller has seen: what came after it follows. 0: everything that is there now, as
    /// `ADDED`, then a `BOOKMARK`, and then the changes.
    ///
    /// One that is no longer kept, or is of an earlier run of the daemon, fails with `OUT_OF_RANGE`, reason
    /// `revisionGone`.
    @Field public var revision: UInt64
    public init() {}
}

/// A change, with the object as it is after it; what has been removed, as it was before.
///
/// Revisions of two runs of the daemon are never the same.
public struct WatchNodeResponse: ProtoMessage {
    public enum Change: String, ProtoEnum {
        case ADDED, MODIFIED, REMOVED
        /// No change: everything up to `revision` has been told.
        case BOOKMARK
    }
    public enum Kind: String, ProtoEnum {
        case POD, CONTAINER, IMAGE, VOLUME, PLUGIN
    }
    /// Grows with every change; WatchNode takes it to go on from here.
    @Field public var revision: UInt64
    @Field public var type: Change
    /// When it was told: nanoseconds since 1970.
    @Field public var createdAt: Int64
    @Field public var kind: Kind
    /// Of the object; a plugin's is its name.
    @Field public var id: String
    /// One of these, as `kind` says.
    @Field public var pod: PodSandboxStatus?
    @Field public var container: ContainerStatus?
    @Field public var image: ImageItem?
    /// Without its allocated bytes, which change all the time.
    @Field public var volume: VolumeInfo?
    /// Without its counters, which change all the time.
    @Field public var plugin: PluginInfo?
    /// The container's pod.
    @Field public var podSandboxId: String
    public init() {}
}
