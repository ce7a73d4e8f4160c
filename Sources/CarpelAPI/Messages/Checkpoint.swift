public struct CheckpointContainerRequest: ProtoMessage {
    @Field public var containerId: String
    /// The archive to write.
    @Field public var location: String
    /// Seconds; 0: the runtime's default.
    @Field public var timeout: Int64
    public init() {}
}

public struct CheckpointPodRequest: ProtoMessage {
    @Field public var podSandboxId: String
    /// Absolute path of a folder that is there and empty.
    @Field public var outputPath: String
    /// Exactly the pod's containers that run.
    @Field public var containerIds: [String]
    /// Names that the runtime does not know are refused.
    @Field public var options: [String: String]
    public init() {}
}

public struct RestorePodRequest: ProtoMessage {
    /// Absolute path of a folder that CheckpointPod has filled.
    @Field public var checkpointPath: String
    @Field public var config: PodSandboxConfig?
    @Field public var runtimeHandler: String
    /// Names that the runtime does not know are refused.
    @Field public var options: [String: String]
    /// One for every container in the checkpoint, by its metadata's name.
    @Field public var containerConfigs: [ContainerConfig]
    public init() {}
}

public struct RestoredContainer: ProtoMessage {
    /// Of the container's metadata.
    @Field public var name: String
    @Field public var containerId: String
    public init() {}
}

public struct RestorePodResponse: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var restoredContainers: [RestoredContainer]
    public init() {}
}
