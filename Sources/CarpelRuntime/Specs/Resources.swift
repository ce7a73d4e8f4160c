import CarpelAPI
import CarpelGuestProtocol
import Glibc

/// CRI's resources, in cgroup v1's words, as cgroup v2 values. `resources` have been validated.
///
/// CPUs and memory nodes are numbers of the pod's machine, not of the node.
func containerResources(_ resources: LinuxContainerResources?) -> ContainerResources {
    var result = ContainerResources()
    guard let resources else { return result }
    result.cpuWeight = cpuWeight(shares: resources.cpuShares)
    if resources.cpuQuota > 0 {
        result.cpuQuota = resources.cpuQuota
        result.cpuPeriod = UInt64(resources.cpuPeriod > 0 ? resources.cpuPeriod : defaultCPUPeriod)
    }
    result.cpus = resources.cpusetCpus.isEmpty ? nil : resources.cpusetCpus
    result.memoryNodes = resources.cpusetMems.isEmpty ? nil : resources.cpusetMems
    if resources.memoryLimitInBytes > 0 {
        result.memoryLimit = resources.memoryLimitInBytes
        result.swapLimit = swapLimit(resources)
    }
    result.unified = resources.unified
    return result
}

/// Microseconds: what the kernel takes where a quota comes without a period (cpu.max's default).
let defaultCPUPeriod: Int64 = 100_000

/// cgroup v1's shares (2 to 262144, default 1024) as cgroup v2's weight (1 to 10000, default 100); nil for 0, "unset".
///
/// A curve through minimum, default and maximum. The older straight line gave the default of v1 a weight of 39.
/// Source: opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value, which runc uses since 1.3.2.
func cpuWeight(shares: Int64) -> UInt64? {
    switch shares {
    case ...0: return nil
    case ...2: return 1
    case 262_144...: return 10_000
    default:
        let exponent = log2(Double(shares))
        return UInt64(pow(10, (exponent * exponent + 125 * exponent) / 612 - 7.0 / 34).rounded(.up))
    }
}

/// memory.swap.max counts swap alone, CRI's limit memory and swap together. Without one a container does not swap,
/// as in containerd; -1 is no limit.
private func swapLimit(_ resources: LinuxContainerResources) -> Int64? {
    switch resources.memorySwapLimitInBytes {
    case 0: 0
    case -1: nil
    case let both: both - resources.memoryLimitInBytes
    }
}
