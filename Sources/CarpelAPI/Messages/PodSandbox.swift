public struct PodSandboxMetadata: ProtoMessage {
    @Field public var name: String
    @Field public var uid: String
    @Field public var namespace: String
    @Field public var attempt: UInt32
    public init() {}
}

public struct DNSConfig: ProtoMessage {
    @Field public var servers: [String]
    @Field public var searches: [String]
    @Field public var options: [String]
    public init() {}
}

public enum NetworkProtocol: String, ProtoEnum {
    case TCP, UDP, SCTP
}

public struct PortMapping: ProtoMessage {
    @Field public var `protocol`: NetworkProtocol
    @Field public var containerPort: Int32
    @Field public var hostPort: Int32
    @Field public var hostIp: String
    public init() {}
}

public struct LinuxSandboxSecurityContext: ProtoMessage {
    @Field public var namespaceOptions: NamespaceOption?
    @Field public var selinuxOptions: SELinuxOption?
    @Field public var runAsUser: Int64Value?
    @Field public var runAsGroup: Int64Value?
    @Field public var readonlyRootfs: Bool
    @Field public var supplementalGroups: [Int64]
    @Field public var supplementalGroupsPolicy: SupplementalGroupsPolicy
    @Field public var privileged: Bool
    @Field public var seccomp: SecurityProfile?
    @Field public var apparmor: SecurityProfile?
    @Field public var seccompProfilePath: String
    public init() {}
}

public struct LinuxPodSandboxConfig: ProtoMessage {
    @Field public var cgroupParent: String
    @Field public var securityContext: LinuxSandboxSecurityContext?
    @Field public var sysctls: [String: String]
    /// What the machine itself may use beside its containers, on the host.
    @Field public var overhead: LinuxContainerResources?
    /// The sum of the containers' resources: the machine's size.
    @Field public var resources: LinuxContainerResources?
    public init() {}
}

public struct PodSandboxConfig: ProtoMessage {
    /// Name, namespace, uid and attempt together name the sandbox; a repetition of the same request joins it.
    @Field public var metadata: PodSandboxMetadata?
    @Field public var hostname: String
    /// The folder on the node for the containers' logs.
    @Field public var logDirectory: String
    @Field public var dnsConfig: DNSConfig?
    @Field public var portMappings: [PortMapping]
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    @Field public var linux: LinuxPodSandboxConfig?
    @Field public var windows: UnsupportedMessage?
    /// Carpel's own, beside CRI.
    @Field public var carpel: PodSandboxExtension?
    public init() {}
}

public struct RunPodSandboxRequest: ProtoMessage {
    @Field public var config: PodSandboxConfig?
    @Field public var runtimeHandler: String
    public init() {}
}

public struct RunPodSandboxResponse: ProtoMessage {
    @Field public var podSandboxId: String
    public init() {}
}

public struct StopPodSandboxRequest: ProtoMessage {
    @Field public var podSandboxId: String
    public init() {}
}

public struct RemovePodSandboxRequest: ProtoMessage {
    @Field public var podSandboxId: String
    public init() {}
}

/// The answer of methods that only succeed or fail.
public struct EmptyResponse: ProtoMessage {
    public init() {}
}

public struct PodSandboxStatusRequest: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var verbose: Bool
    public init() {}
}

public struct PodIP: ProtoMessage {
    @Field public var ip: String
    public init() {}
}

public struct PodSandboxNetworkStatus: ProtoMessage {
    @Field public var ip: String
    @Field public var additionalIps: [PodIP]
    public init() {}
}

public struct Namespace: ProtoMessage {
    @Field public var options: NamespaceOption?
    public init() {}
}

public struct LinuxPodSandboxStatus: ProtoMessage {
    @Field public var namespaces: Namespace?
    public init() {}
}

public enum PodSandboxState: String, ProtoEnum {
    case SANDBOX_READY, SANDBOX_NOTREADY
}

public struct PodSandboxStatus: ProtoMessage {
    @Field public var id: String
    @Field public var metadata: PodSandboxMetadata?
    @Field public var state: PodSandboxState
    @Field public var createdAt: Int64
    @Field public var network: PodSandboxNetworkStatus?
    @Field public var linux: LinuxPodSandboxStatus?
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    @Field public var runtimeHandler: String
    public init() {}
}

public struct PodSandboxStatusResponse: ProtoMessage {
    @Field public var status: PodSandboxStatus?
    /// With `verbose`: JSON texts by name. `timeline` holds a `[TimelineStep]`, `machine` what libvirt knows.
    @Field public var info: [String: String]
    @Field public var containersStatuses: [ContainerStatus]
    @Field public var timestamp: Int64
    public init() {}
}

public struct PodSandboxStateValue: ProtoMessage {
    @Field public var state: PodSandboxState
    public init() {}
}

public struct PodSandboxFilter: ProtoMessage {
    @Field public var id: String
    @Field public var state: PodSandboxStateValue?
    /// All of these labels must have these values.
    @Field public var labelSelector: [String: String]
    public init() {}
}

public struct ListPodSandboxRequest: ProtoMessage {
    @Field public var filter: PodSandboxFilter?
    public init() {}
}

public struct PodSandboxItem: ProtoMessage {
    @Field public var id: String
    @Field public var metadata: PodSandboxMetadata?
    @Field public var state: PodSandboxState
    @Field public var createdAt: Int64
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    @Field public var runtimeHandler: String
    public init() {}
}

public struct ListPodSandboxResponse: ProtoMessage {
    @Field public var items: [PodSandboxItem]
    public init() {}
}

/// A step of a pod's start, as it stands in a verbose PodSandboxStatus under `timeline`.
public struct TimelineStep: Codable, Sendable, Equatable {
    public var name: String
    /// Nanoseconds since 1970.
    public var startedAt: Int64
    /// Absent while the step runs.
    public var durationNanoseconds: Int64?
    /// What went wrong, if the step failed.
    public var failure: String?

    public init(name: String, startedAt: Int64, durationNanoseconds: Int64? = nil, failure: String? = nil) {
        self.name = name
        self.startedAt = startedAt
        self.durationNanoseconds = durationNanoseconds
        self.failure = failure
    }
}
