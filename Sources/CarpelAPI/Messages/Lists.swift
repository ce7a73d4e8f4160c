// Lists in parts, for nodes whose lists are longer than a message may be. Every part has one entry at least, and
// every entry stands in one part.

public struct StreamPodSandboxesRequest: ProtoMessage {
    @Field public var filter: PodSandboxFilter?
    public init() {}
}

public struct StreamPodSandboxesResponse: ProtoMessage {
    @Field public var podSandboxes: [PodSandboxItem]
    public init() {}
}

public struct StreamContainersRequest: ProtoMessage {
    @Field public var filter: ContainerFilter?
    public init() {}
}

public struct StreamContainersResponse: ProtoMessage {
    @Field public var containers: [ContainerItem]
    public init() {}
}

public struct StreamImagesRequest: ProtoMessage {
    @Field public var filter: ImageFilter?
    public init() {}
}

public struct StreamImagesResponse: ProtoMessage {
    @Field public var images: [ImageItem]
    public init() {}
}

public struct StreamContainerStatsRequest: ProtoMessage {
    @Field public var filter: ContainerStatsFilter?
    public init() {}
}

public struct StreamContainerStatsResponse: ProtoMessage {
    @Field public var containerStats: [ContainerStats]
    public init() {}
}

public struct StreamPodSandboxStatsRequest: ProtoMessage {
    @Field public var filter: PodSandboxStatsFilter?
    public init() {}
}

public struct StreamPodSandboxStatsResponse: ProtoMessage {
    @Field public var podSandboxStats: [PodSandboxStats]
    public init() {}
}

public struct StreamPodSandboxMetricsRequest: ProtoMessage {
    public init() {}
}

public struct StreamPodSandboxMetricsResponse: ProtoMessage {
    @Field public var podSandboxMetrics: [PodSandboxMetrics]
    public init() {}
}
