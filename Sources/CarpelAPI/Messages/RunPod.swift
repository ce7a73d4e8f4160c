/// Carpel's own: a pod and its containers, all of them started, or nothing at all.
public struct RunPodRequest: ProtoMessage {
    @Field public var config: PodSandboxConfig?
    @Field public var runtimeHandler: String
    /// Created and started in this order.
    @Field public var containerConfigs: [ContainerConfig]
    public init() {}
}

public struct RunPodResponse: ProtoMessage {
    @Field public var podSandboxId: String
    /// In the order of the request.
    @Field public var containerIds: [String]
    public init() {}
}
