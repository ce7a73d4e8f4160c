public struct ListMetricDescriptorsRequest: ProtoMessage {
    public init() {}
}

public struct MetricDescriptor: ProtoMessage {
    @Field public var name: String
    @Field public var help: String
    /// What the metric's `labelValues` are values of, in their order.
    @Field public var labelKeys: [String]
    public init() {}
}

public struct ListMetricDescriptorsResponse: ProtoMessage {
    @Field public var descriptors: [MetricDescriptor]
    public init() {}
}

public enum MetricType: String, ProtoEnum {
    case COUNTER, GAUGE
}

public struct Metric: ProtoMessage {
    /// One of the descriptors'.
    @Field public var name: String
    /// 0 for a number read for this answer.
    @Field public var timestamp: Int64
    @Field public var metricType: MetricType
    @Field public var labelValues: [String]
    @Field public var value: UInt64Value?
    public init() {}
}

public struct ContainerMetrics: ProtoMessage {
    @Field public var containerId: String
    @Field public var metrics: [Metric]
    public init() {}
}

public struct PodSandboxMetrics: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var metrics: [Metric]
    @Field public var containerMetrics: [ContainerMetrics]
    public init() {}
}

public struct ListPodSandboxMetricsRequest: ProtoMessage {
    public init() {}
}

public struct ListPodSandboxMetricsResponse: ProtoMessage {
    @Field public var podMetrics: [PodSandboxMetrics]
    public init() {}
}
