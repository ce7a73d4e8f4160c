// Usage of containers and pods. Every timestamp says when its numbers were read. CRI's fields for Windows are left out.

/// How long tasks waited for a resource. Source: https://docs.kernel.org/accounting/psi.html
public struct PsiStats: ProtoMessage {
    /// While all of them waited.
    @Field public var Full: PsiData?
    /// While one of them at least waited.
    @Field public var Some: PsiData?
    public init() {}
}

public struct PsiData: ProtoMessage {
    /// Nanoseconds.
    @Field public var Total: UInt64
    /// Percent of the last 10 seconds.
    @Field public var Avg10: Double
    /// Percent of the last 60 seconds.
    @Field public var Avg60: Double
    /// Percent of the last 300 seconds.
    @Field public var Avg300: Double
    public init() {}
}

public struct CpuUsage: ProtoMessage {
    @Field public var timestamp: Int64
    /// Of all cores since the start.
    @Field public var usageCoreNanoSeconds: UInt64Value?
    /// Nanoseconds of all cores per second, of the time between this reading and the one before.
    @Field public var usageNanoCores: UInt64Value?
    @Field public var psi: PsiStats?
    public init() {}
}

public struct MemoryUsage: ProtoMessage {
    @Field public var timestamp: Int64
    /// What cannot be taken back: usage less the inactive file pages, as kubelet counts.
    @Field public var workingSetBytes: UInt64Value?
    /// The limit less the working set; absent without a limit.
    @Field public var availableBytes: UInt64Value?
    @Field public var usageBytes: UInt64Value?
    @Field public var rssBytes: UInt64Value?
    @Field public var pageFaults: UInt64Value?
    @Field public var majorPageFaults: UInt64Value?
    @Field public var psi: PsiStats?
    public init() {}
}

public struct SwapUsage: ProtoMessage {
    @Field public var timestamp: Int64
    @Field public var swapAvailableBytes: UInt64Value?
    @Field public var swapUsageBytes: UInt64Value?
    public init() {}
}

public struct IoUsage: ProtoMessage {
    @Field public var timestamp: Int64
    @Field public var psi: PsiStats?
    public init() {}
}

public struct NetworkInterfaceUsage: ProtoMessage {
    @Field public var name: String
    @Field public var rxBytes: UInt64Value?
    @Field public var rxErrors: UInt64Value?
    @Field public var txBytes: UInt64Value?
    @Field public var txErrors: UInt64Value?
    public init() {}
}

public struct NetworkUsage: ProtoMessage {
    @Field public var timestamp: Int64
    @Field public var defaultInterface: NetworkInterfaceUsage?
    /// Those beside the default one.
    @Field public var interfaces: [NetworkInterfaceUsage]
    public init() {}
}

public struct ProcessUsage: ProtoMessage {
    @Field public var timestamp: Int64
    @Field public var processCount: UInt64Value?
    public init() {}
}

public struct ContainerAttributes: ProtoMessage {
    @Field public var id: String
    @Field public var metadata: ContainerMetadata?
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    public init() {}
}

public struct ContainerStats: ProtoMessage {
    @Field public var attributes: ContainerAttributes?
    @Field public var cpu: CpuUsage?
    @Field public var memory: MemoryUsage?
    @Field public var writableLayer: FilesystemUsage?
    @Field public var swap: SwapUsage?
    @Field public var io: IoUsage?
    public init() {}
}

public struct ContainerStatsFilter: ProtoMessage {
    @Field public var id: String
    @Field public var podSandboxId: String
    @Field public var labelSelector: [String: String]
    public init() {}
}

public struct ContainerStatsRequest: ProtoMessage {
    @Field public var containerId: String
    public init() {}
}

public struct ContainerStatsResponse: ProtoMessage {
    @Field public var stats: ContainerStats?
    public init() {}
}

public struct ListContainerStatsRequest: ProtoMessage {
    @Field public var filter: ContainerStatsFilter?
    public init() {}
}

public struct ListContainerStatsResponse: ProtoMessage {
    @Field public var stats: [ContainerStats]
    public init() {}
}

public struct PodSandboxAttributes: ProtoMessage {
    @Field public var id: String
    @Field public var metadata: PodSandboxMetadata?
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    public init() {}
}

public struct LinuxPodSandboxStats: ProtoMessage {
    @Field public var cpu: CpuUsage?
    @Field public var memory: MemoryUsage?
    @Field public var network: NetworkUsage?
    @Field public var process: ProcessUsage?
    @Field public var containers: [ContainerStats]
    @Field public var io: IoUsage?
    public init() {}
}

public struct PodSandboxStats: ProtoMessage {
    @Field public var attributes: PodSandboxAttributes?
    @Field public var linux: LinuxPodSandboxStats?
    /// Carpel's own, beside CRI.
    @Field public var carpel: PodSandboxStatsExtension?
    public init() {}
}

public struct PodSandboxStatsExtension: ProtoMessage {
    @Field public var machine: MachineStats?
    public init() {}
}

/// What a pod's machine is and costs on the node, beyond what its containers use.
public struct MachineStats: ProtoMessage {
    @Field public var timestamp: Int64
    @Field public var virtualCpus: UInt32
    /// What the pod may use of the machine's memory.
    @Field public var memoryBytes: UInt64
    /// What the guest's kernel has left.
    @Field public var availableBytes: UInt64
    /// Of the node's cores, by the guest's CPUs. It holds what the containers use.
    @Field public var virtualCpuCoreNanoSeconds: UInt64
    /// Of the node's cores, by everything else that the machine is made of: QEMU's devices, virtiofsd.
    @Field public var overheadCoreNanoSeconds: UInt64
    /// The guest's memory that the node holds; absent if it cannot be told from QEMU's own.
    @Field public var guestResidentBytes: UInt64Value?
    /// Memory of the machine's processes beside the guest's.
    @Field public var overheadBytes: UInt64
    public init() {}
}

public struct PodSandboxStatsFilter: ProtoMessage {
    @Field public var id: String
    @Field public var labelSelector: [String: String]
    public init() {}
}

public struct PodSandboxStatsRequest: ProtoMessage {
    @Field public var podSandboxId: String
    public init() {}
}

public struct PodSandboxStatsResponse: ProtoMessage {
    @Field public var stats: PodSandboxStats?
    public init() {}
}

public struct ListPodSandboxStatsRequest: ProtoMessage {
    @Field public var filter: PodSandboxStatsFilter?
    public init() {}
}

public struct ListPodSandboxStatsResponse: ProtoMessage {
    @Field public var stats: [PodSandboxStats]
    public init() {}
}
