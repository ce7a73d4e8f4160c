import CarpelAPI
import CarpelGuestProtocol

/// The guest's values that turn the limits of a container that was saved, as updates had made them, into those that
/// are asked for; nil if there is nothing to change. A limit that is not asked for is lifted.
func restoredLimits(
    from former: LinuxContainerResources, to wanted: LinuxContainerResources
) -> ContainerResources? {
    guard former != wanted else { return nil }
    let before = containerResources(former)
    var result = containerResources(wanted)
    if before.cpuWeight != nil, result.cpuWeight == nil { result.cpuWeight = 100 }
    if before.cpuQuota != nil, result.cpuQuota == nil { result.cpuQuota = -1 }
    if before.memoryLimit != nil, result.memoryLimit == nil { result.memoryLimit = -1 }
    if before.swapLimit != nil, result.swapLimit == nil { result.swapLimit = -1 }
    if former.oomScoreAdj != wanted.oomScoreAdj { result.oomScoreAdjustment = Int32(wanted.oomScoreAdj) }
    return result
}

/// CRI's name of a limit that was in force and that no running container can be freed from.
func lastingLimit(of former: LinuxContainerResources, missingIn wanted: LinuxContainerResources) -> String? {
    // Linux keeps a cpuset that has processes from becoming empty.
    if !former.cpusetCpus.isEmpty, wanted.cpusetCpus.isEmpty { return "linux.resources.cpusetCpus" }
    if !former.cpusetMems.isEmpty, wanted.cpusetMems.isEmpty { return "linux.resources.cpusetMems" }
    // What a file says where nothing was ever written to it, only the kernel knows.
    return former.unified.keys.sorted().first { wanted.unified[$0] == nil }.map { "linux.resources.unified[\($0)]" }
}
