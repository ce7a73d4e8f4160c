import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

extension Runtime {
    /// Changes the limits of a container that was created or runs: all of those that are given, or none. A field that
    /// is 0 or empty stays as it is.
    ///
    /// The pod's machine grows if the limits of its containers come to more than it has.
    public func updateContainerResources(_ request: UpdateContainerResourcesRequest) async throws -> EmptyResponse {
        guard request.windows == nil else { throw windowsUnsupported("windows") }
        guard let change = request.linux else { throw CarpelError.missing("linux") }
        try checkResources(change, at: "linux")
        let (pod, id) = try await requireContainer(request.containerId)
        try await detachedFromCaller { try await pod.updateResources(of: id, change) }
        return EmptyResponse()
    }
}

extension PodSandbox {
    func updateResources(of id: String, _ change: LinuxContainerResources) async throws {
        _ = try running()
        try await serialisingDevices { try await self.apply(change, to: id) }
    }

    private func apply(_ change: LinuxContainerResources, to id: String) async throws {
        let record = try container(id).record
        guard record.mayRun || record.phase == .created else {
            throw CarpelError(
                .failedPrecondition, "containerNotUpdatable",
                "the container is \(record.state.rawValue); only one that was created or runs can be updated")
        }
        let resources = (record.currentResources ?? LinuxContainerResources()).updated(with: change)
        // Two that are sound need not be so together, such as a memory limit above the limit of memory and swap.
        try checkResources(resources, at: "linux")
        let needed = neededSize(with: resources, of: id)
        try await grow(virtualCPUs: needed.virtualCPUs, memory: needed.memory)
        let guest = try running().guest
        try await translated("update the container \(record.config.metadata?.name ?? id)") {
            try await guest.ask(.updateResources(id: id, resources: updatedResources(resources, by: change)))
        }
        try await update(id) { $0.resources = resources }
    }

    /// What the containers of the pod may use with these limits for one of them.
    func neededSize(
        with resources: LinuxContainerResources, of id: String
    ) -> (virtualCPUs: Int, memory: ByteCount) {
        let others = containers.values.map(\.record).filter {
            $0.id != id && ($0.mayRun || $0.phase == .created || $0.phase == .creating)
        }
        return CarpelRuntime.neededSize(of: others.compactMap(\.currentResources) + [resources])
    }
}

/// The guest's values for `resources`, in which `change` may have lifted a limit that was in force.
func updatedResources(
    _ resources: LinuxContainerResources, by change: LinuxContainerResources
) -> ContainerResources {
    var result = containerResources(resources)
    if change.cpuQuota == -1 { result.cpuQuota = -1 }
    if change.memorySwapLimitInBytes == -1, result.memoryLimit != nil { result.swapLimit = -1 }
    if change.oomScoreAdj != 0 { result.oomScoreAdjustment = Int32(change.oomScoreAdj) }
    return result
}

extension LinuxContainerResources {
    /// Zero means "not specified" (CRI, LinuxContainerResources): such a field stays.
    func updated(with change: LinuxContainerResources) -> LinuxContainerResources {
        var result = self
        if change.cpuPeriod != 0 { result.cpuPeriod = change.cpuPeriod }
        if change.cpuQuota != 0 { result.cpuQuota = change.cpuQuota }
        if change.cpuShares != 0 { result.cpuShares = change.cpuShares }
        if change.memoryLimitInBytes != 0 { result.memoryLimitInBytes = change.memoryLimitInBytes }
        if change.oomScoreAdj != 0 { result.oomScoreAdj = change.oomScoreAdj }
        if !change.cpusetCpus.isEmpty { result.cpusetCpus = change.cpusetCpus }
        if !change.cpusetMems.isEmpty { result.cpusetMems = change.cpusetMems }
        if change.memorySwapLimitInBytes != 0 { result.memorySwapLimitInBytes = change.memorySwapLimitInBytes }
        result.unified.merge(change.unified) { $1 }
        return result
    }
}
