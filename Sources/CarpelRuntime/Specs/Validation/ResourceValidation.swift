import CarpelAPI
import CarpelCore

/// What one process needs at the least: below it, exec itself meets the memory limit. Docker refuses less than this too.
let smallestMemoryLimit = ByteCount.mebibytes(6)

/// Refuses limits that no cgroup takes. Zero means "not specified" throughout (CRI, LinuxContainerResources).
func checkResources(_ resources: LinuxContainerResources, at field: String) throws {
    try checkCPU(resources, at: field)
    try checkMemory(resources, at: field)
    guard (-1000...1000).contains(resources.oomScoreAdj) else {
        throw CarpelError.invalid("\(field).oomScoreAdj", "\(resources.oomScoreAdj) is not between -1000 and 1000")
    }
    try checkNumberList(resources.cpusetCpus, at: "\(field).cpusetCpus")
    try checkNumberList(resources.cpusetMems, at: "\(field).cpusetMems")
    // The kubelet sends a limit of 0 for every page size that it knows: it asks for none.
    for (index, limit) in resources.hugepageLimits.enumerated() where limit.limit > 0 {
        throw CarpelError.unsupported(
            "\(field).hugepageLimits[\(index)]", "hugepagesUnsupported",
            "pods have no huge pages of their own; take the limit out (transparent huge pages work)")
    }
    try checkUnified(resources.unified, at: "\(field).unified")
}

/// The kernel's bounds: cpu.max takes periods of 1 ms to 1 s and quotas from 1 ms (kernel/sched/core.c).
/// A quota of -1 is no limit, as the kubelet writes it for containers with CPUs of their own.
private func checkCPU(_ resources: LinuxContainerResources, at field: String) throws {
    guard resources.cpuPeriod == 0 || (1000...1_000_000).contains(resources.cpuPeriod) else {
        throw CarpelError.invalid("\(field).cpuPeriod", "\(resources.cpuPeriod) us; use 1000 to 1000000")
    }
    guard resources.cpuQuota == 0 || resources.cpuQuota == -1 || resources.cpuQuota >= 1000 else {
        throw CarpelError.invalid(
            "\(field).cpuQuota", "\(resources.cpuQuota) us; use at least 1000, or -1 for no limit")
    }
    guard resources.cpuShares >= 0 else {
        throw CarpelError.invalid("\(field).cpuShares", "\(resources.cpuShares) is negative; use 2 to 262144")
    }
}

private func checkMemory(_ resources: LinuxContainerResources, at field: String) throws {
    let (limit, swap) = (resources.memoryLimitInBytes, resources.memorySwapLimitInBytes)
    guard limit == 0 || limit >= smallestMemoryLimit.bytes else {
        throw CarpelError.invalid(
            "\(field).memoryLimitInBytes", "\(limit) bytes; a container needs at least \(smallestMemoryLimit)",
            reason: "memoryLimitTooSmall")
    }
    guard swap >= -1 else { throw CarpelError.invalid("\(field).memorySwapLimitInBytes", "\(swap) is negative") }
    guard swap <= 0 || limit > 0 && swap >= limit else {
        throw CarpelError.invalid(
            "\(field).memorySwapLimitInBytes",
            "memory and swap together (\(swap)) cannot be less than memoryLimitInBytes (\(limit)), which is needed too")
    }
}

/// A list such as `0-3,5`. Source: cpuset(7), "List format".
private func checkNumberList(_ list: String, at field: String) throws {
    guard !list.isEmpty else { return }
    for range in list.split(separator: ",", omittingEmptySubsequences: false) {
        let bounds = range.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard bounds.count <= 2, let first = bounds.first ?? nil, let last = bounds.last ?? nil, first <= last else {
            throw CarpelError.invalid(field, "\"\(list)\" is not a list such as 0-1,3")
        }
    }
}

/// Those that the agent turns on.
private let unifiedControllers: Set<Substring> = ["cpu", "cpuset", "io", "memory", "pids"]

/// Files of the controllers alone: the `cgroup.` ones belong to the agent, which tells containers apart by them.
private func checkUnified(_ unified: [String: String], at field: String) throws {
    for (name, value) in unified.sorted(by: { $0.key < $1.key }) {
        let field = "\(field)[\(name)]"
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let sound = name.utf8.allSatisfy { $0.isHostnameByte || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") }
        guard sound, parts.count >= 2, !parts.contains(""), unifiedControllers.contains(parts[0]) else {
            throw CarpelError.invalid(field, "not a file of cgroup v2's controllers cpu, cpuset, io, memory and pids")
        }
        guard !value.isEmpty, !value.holdsNUL else {
            throw CarpelError.invalid(field, "the value is empty or holds NUL")
        }
    }
}
