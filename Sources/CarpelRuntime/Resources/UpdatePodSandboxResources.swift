import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

extension Runtime {
    /// Changes what a pod's containers may use together. A field that is 0 or empty stays as it is.
    ///
    /// The machine grows where it must. It cannot become smaller: where less is asked for, the guest holds the containers
    /// to that, and the pod's status tells of what the machine has more (``MachineSurplus``).
    ///
    /// `overhead` changes nothing: it is what the pod may use on the node in all, and nothing holds QEMU to it.
    public func updatePodSandboxResources(_ request: UpdatePodSandboxResourcesRequest) async throws -> EmptyResponse {
        let pod = try requirePod(request.podSandboxId)
        for (resources, field) in [(request.overhead, "overhead"), (request.resources, "resources")] {
            if let resources { try checkResources(resources, at: field) }
        }
        guard let change = request.resources else { return EmptyResponse() }
        try await detachedFromCaller { try await pod.updateResources(change) }
        return EmptyResponse()
    }
}

extension PodSandbox {
    fileprivate func updateResources(_ change: LinuxContainerResources) async throws {
        _ = try running()
        try await serialisingDevices { try await self.apply(change) }
    }

    private func apply(_ change: LinuxContainerResources) async throws {
        let resources = currentResources.updated(with: change)
        try checkResources(resources, at: "resources")
        // What was never asked for stays as it is.
        let size = try machineSize(
            of: resources, at: "resources", defaults: (cpus: 1, memory: ByteCount(record.memoryBytes)))
        try await grow(virtualCPUs: size.virtualCPUs, memory: size.memory)
        let guest = try running().guest
        var limits = ContainerResources()
        let values = updatedResources(resources, by: change)
        (limits.cpuQuota, limits.cpuPeriod, limits.memoryLimit) =
            (values.cpuQuota, values.cpuPeriod, values.memoryLimit)
        try await translated("update the pod") { try await guest.ask(.updatePodResources(limits)) }
        try await updateRecord { $0.resources = resources }
    }

    var currentResources: LinuxContainerResources {
        record.resources ?? record.config.linux?.resources ?? LinuxContainerResources()
    }

    /// Nil if the machine is as large as the pod's resources ask for.
    var surplus: MachineSurplus? {
        guard let resources = record.resources,
            let size = try? machineSize(of: resources, defaults: (cpus: 1, memory: ByteCount(record.memoryBytes))),
            size.virtualCPUs < record.virtualCPUs || size.memory.bytes < record.memoryBytes
        else { return nil }
        return MachineSurplus(
            reason: "machineCannotShrink",
            message: "the machine has \(record.virtualCPUs) CPUs and \(ByteCount(record.memoryBytes)) of memory, and "
                + "keeps them to its end; its guest holds the containers to their limits")
    }
}

/// Says that a machine is larger than its pod's resources ask for, and why.
struct MachineSurplus: Encodable, Sendable {
    /// `machineCannotShrink`
    let reason: String
    let message: String
}
