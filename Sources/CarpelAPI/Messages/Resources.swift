public struct UpdateContainerResourcesRequest: ProtoMessage {
    @Field public var containerId: String
    @Field public var linux: LinuxContainerResources?
    @Field public var windows: UnsupportedMessage?
    @Field public var annotations: [String: String]
    public init() {}
}

public struct UpdatePodSandboxResourcesRequest: ProtoMessage {
    @Field public var podSandboxId: String
    /// What the machine itself may use beside its containers, on the host.
    @Field public var overhead: LinuxContainerResources?
    /// The sum of the containers' resources: the machine's size.
    @Field public var resources: LinuxContainerResources?
    public init() {}
}

public struct NetworkConfig: ProtoMessage {
    /// The node's range for its pods' addresses; several are separated by commas.
    @Field public var podCidr: String
    public init() {}
}

public struct RuntimeConfig: ProtoMessage {
    @Field public var networkConfig: NetworkConfig?
    public init() {}
}

public struct UpdateRuntimeConfigRequest: ProtoMessage {
    @Field public var runtimeConfig: RuntimeConfig?
    public init() {}
}

public struct RuntimeConfigRequest: ProtoMessage {
    public init() {}
}

public enum CgroupDriver: String, ProtoEnum {
    case SYSTEMD, CGROUPFS
}

public struct LinuxRuntimeConfiguration: ProtoMessage {
    @Field public var cgroupDriver: CgroupDriver
    public init() {}
}

public struct RuntimeConfigResponse: ProtoMessage {
    @Field public var linux: LinuxRuntimeConfiguration?
    public init() {}
}

public struct ReopenContainerLogRequest: ProtoMessage {
    @Field public var containerId: String
    public init() {}
}
