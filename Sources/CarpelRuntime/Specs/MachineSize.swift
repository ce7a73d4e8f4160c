import CarpelAPI
import CarpelCore

/// As many as QEMU's q35 machine takes without an interrupt remapper.
private let mostVirtualCPUs = 255

/// The size of the machine for a pod, from `resources`: the sum of its containers' (CRI, LinuxPodSandboxConfig).
///
/// - CPUs: quota / period, rounded up, since more could never run. Without a quota as many as the shares were computed
///   from (1024 each), since the pod must get those, and no fewer than the default, since it may burst.
/// - Memory: the limit, or without one the default. What the guest itself needs comes on top of either
///   (`MachinesConfiguration.memoryOverhead`).
///
/// `linux.overhead` is not part of it: it is what the pod may use on the node in all, QEMU included.
/// - Throws: `.invalidArgument`/`machineTooLarge`.
/// - Parameter field: where the resources stand in the request.
func machineSize(
    of resources: LinuxContainerResources, at field: String = "config.linux.resources",
    defaults: (cpus: Int, memory: ByteCount)
) throws -> (virtualCPUs: Int, memory: ByteCount) {
    (
        try virtualCPUs(resources, at: field, default: defaults.cpus),
        try memory(resources, at: field, default: defaults.memory)
    )
}

/// What containers may use, their limits taken together. One without a limit may use what there is.
///
/// A limit of memory counts 8 TiB at most, and all CPUs a thousand million: more than any machine has, and far from
/// overflowing.
func neededSize(of limits: [LinuxContainerResources]) -> (virtualCPUs: Int, memory: ByteCount) {
    let cpus = limits.reduce(0.0) { sum, limit in
        guard limit.cpuQuota > 0 else { return sum }
        return sum + Double(limit.cpuQuota) / Double(limit.cpuPeriod > 0 ? limit.cpuPeriod : defaultCPUPeriod)
    }
    let memory = limits.reduce(ByteCount(0)) { $0 + ByteCount(min(max(0, $1.memoryLimitInBytes), 8 << 40)) }
    return (Int(min(cpus, 1e9).rounded(.up)), memory)
}

private func virtualCPUs(_ resources: LinuxContainerResources, at field: String, default fallback: Int) throws -> Int {
    let period = resources.cpuPeriod > 0 ? resources.cpuPeriod : defaultCPUPeriod
    let count =
        resources.cpuQuota > 0
        ? Int(resources.cpuQuota).dividedRoundingUp(by: Int(period))
        : max(fallback, Int(resources.cpuShares).dividedRoundingUp(by: 1024))
    guard count <= mostVirtualCPUs else {
        throw CarpelError.invalid(
            resources.cpuQuota > 0 ? "\(field).cpuQuota" : "\(field).cpuShares",
            "asks for \(count) CPUs; a machine has at most \(mostVirtualCPUs)", reason: "machineTooLarge")
    }
    return max(1, count)
}

private func memory(_ resources: LinuxContainerResources, at field: String, default fallback: ByteCount) throws
    -> ByteCount
{
    let limit = resources.memoryLimitInBytes
    guard limit > 0 else { return fallback }
    // 8 TiB: far beyond any node, and far from overflowing.
    guard limit <= 8 << 40 else {
        throw CarpelError.invalid(
            "\(field).memoryLimitInBytes", "\(limit) bytes; a machine has at most 8 TiB",
            reason: "machineTooLarge")
    }
    return ByteCount(limit)
}

extension Int {
    fileprivate func dividedRoundingUp(by divisor: Int) -> Int { self / divisor + (self % divisor > 0 ? 1 : 0) }
}
