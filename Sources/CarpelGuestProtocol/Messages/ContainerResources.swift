/// cgroup v2 values. Nil leaves the kernel's default.
public struct ContainerResources: Codable, Sendable, Equatable {
    /// cpu.weight, 1 to 10000.
    public var cpuWeight: UInt64?
    /// cpu.max: microseconds of each `cpuPeriod`.
    public var cpuQuota: Int64?
    public var cpuPeriod: UInt64?
    public var cpus: String?
    public var memoryNodes: String?
    /// memory.max, bytes.
    public var memoryLimit: Int64?
    /// memory.swap.max, bytes.
    public var swapLimit: Int64?
    public var processLimit: Int64?
    /// Other cgroup v2 files by name, as CRI's `unified`.
    public var unified: [String: String] = [:]
    /// oom_score_adj of the processes that run, for an update.
    public var oomScoreAdjustment: Int32?
    public init() {}
}
