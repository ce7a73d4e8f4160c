import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import Foundation

extension Runtime {
    /// Makes a pod of a checkpoint. Its containers are created, and go on when they are started.
    ///
    /// The caller gives it up by closing the connection, and the option `timeoutSeconds` does after that time; whatever
    /// ends it, nothing is left.
    public func restorePod(_ request: RestorePodRequest) async throws -> RestorePodResponse {
        let timeout = try checkpointTimeout(request.options)
        guard let config = request.config else { throw CarpelError.missing("config") }
        try CarpelRuntime.validate(sandbox: config)
        try checkRuntimeHandler(request.runtimeHandler)
        guard let metadata = config.metadata else { throw CarpelError.missing("config.metadata") }
        let name = PodRecord.name(of: metadata)
        try requireFree(name)
        let id = makeID()
        let plan = try await restorePlan(request, config, podID: id)
        let networks = try networkRequests(of: config, podID: id, plugins: environment.configuration.networks)
        // Asked again: from here on nothing waits, so that the name is reserved in one step.
        try requireFree(name)
        let record = PodRecord(
            id: id, name: name, runtimeHandler: request.runtimeHandler, config: config, createdAt: now(),
            phase: .creating, virtualCPUs: plan.manifest.virtualCPUs, memoryBytes: plan.manifest.memoryBytes,
            timeline: [], leftovers: [], networks: networks, volumes: [], failure: "")
        let pod = PodSandbox(record, in: environment)
        add(pod, name: name)
        try await restore(pod, plan, within: timeout)
        return RestorePodResponse {
            $0.podSandboxId = id
            $0.restoredContainers = plan.containers.map { container in
                RestoredContainer {
                    $0.name = container.name
                    $0.containerId = container.record.id
                }
            }
        }
    }

    private func requireFree(_ name: String) throws {
        guard let pod = pod(named: name) else { return }
        throw CarpelError(
            .alreadyExists, "podNameTaken",
            "the pod \(pod.id.prefix(13)) has this name, namespace, uid and attempt; remove it or count up "
                + "config.metadata.attempt", field: "config.metadata")
    }

    private func restore(_ pod: PodSandbox, _ plan: RestorePlan, within timeout: Duration) async throws {
        do {
            let task = try await pod.start(from: plan)
            try await withDeadline(timeout, reason: "restoreTimeout", "the restore of the pod") {
                try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                }
            }
        } catch {
            // A restore that was over just when it was given up: its caller does not know of it.
            if case .ready = await pod.state { try? await pod.remove() }
            if case .gone = await pod.state { forget(pod.id) }
            throw error
        }
    }
}

extension PodSandbox {
    /// The steps of a start that begins with a checkpoint in place of a boot.
    func takeSteps(from plan: RestorePlan, _ undo: inout UndoStack) async throws -> RunningPod {
        let paths = environment.paths
        try await step("record") {
            try await environment.store.insert(record)
            undo.push("the containers' records") { try await self.forgetContainers() }
            for container in plan.containers {
                containers[container.record.id] = Container(container.record)
                try await environment.store.insert(container.record)
            }
        }
        try await step("folders") {
            undo.push("the pod's folders") { try PodFolders(paths).remove(self.id) }
            try PodFolders(paths).make(self.id)
        }
        let state = try await step("disks") { try await copyDisks(of: plan) }
        if !record.networks.isEmpty {
            try await step("network") {
                undo.push("the pod's networks") { try await self.deleteNetworks() }
                try await addNetworks()
            }
        }
        if sharesFolder {
            try await step("shared folder") { try SharedFolder(paths.sharedFolder(id)).make() }
        }
        let machine = try await step("machine") {
            try await environment.hypervisor.restore(
                try restoredSpec(plan), from: SavedState(shape: plan.manifest.machine, descriptor: state.number))
        }
        undo.push("the machine") { try await machine.destroy() }
        // QEMU has read it.
        withExtendedLifetime(state) {}
        let guest = try await step("agent") {
            let timeout = Duration.seconds(environment.configuration.guest.bootTimeoutSeconds)
            return try await connect(to: machine, within: timeout)
        }
        undo.push("the agent's connection") { await guest.close() }
        try await step("identity") {
            let sandbox = try restoredSandbox(plan)
            try await translated("tell the machine whose it is") { try await guest.ask(.restore(sandbox)) }
            try await machine.setLinks(up: true)
        }
        try await step("containers") { try await takeOver(plan, machine, guest) }
        try Task.checkCancellation()
        return RunningPod(machine: machine, guest: guest)
    }

    private func forgetContainers() async throws {
        for container in containers.values { try await environment.store.delete(container.record) }
        containers = [:]
    }

    /// Copies the pod's disks, and verifies them and the machine's state.
    /// - Returns: The state, at its beginning.
    private func copyDisks(of plan: RestorePlan) async throws -> FileDescriptorBox {
        let state = try plan.folder.file(CheckpointFolder.state)
        try await verify(CheckpointFolder.state, state, plan)
        lseek(state.number, 0, SEEK_SET)
        for disk in checkpointedDisks {
            let source = try plan.folder.file(disk.name)
            let copy = FileDescriptorBox(open(disk.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
            guard copy.number >= 0 else {
                throw CarpelError(
                    .internal, "scratchDiskFailed", "making \(disk.path): \(String(cString: strerror(errno)))")
            }
            try await onBlockingThread { flag in
                try SparseFile.copy(source, to: copy, flag)
            }
            try await verify(disk.name, copy, plan)
        }
        return state
    }

    private nonisolated func verify(_ name: String, _ file: FileDescriptorBox, _ plan: RestorePlan) async throws {
        let expected = plan.manifest.files.first { $0.name == name }
        let (bytes, digest) = try await onBlockingThread { flag in try SparseFile.digest(file, flag) }
        guard bytes == expected?.bytes, digest == expected?.digest else {
            throw plan.folder.damaged("\(name) is not what it was when the checkpoint was made")
        }
    }

    private func restoredSpec(_ plan: RestorePlan) throws -> MachineSpec {
        var spec = machineSpec()
        spec.disks += plan.layers
        spec.sharedFolder = nil
        spec.canShareFolders = sharesFolder
        return spec
    }

    private func restoredSandbox(_ plan: RestorePlan) throws -> RestoredSandbox {
        let sandbox = try sandboxConfiguration
        return RestoredSandbox(
            hostname: sandbox.hostname, resolvConf: sandbox.resolvConf, hosts: sandbox.hosts, sysctls: sandbox.sysctls,
            clock: UInt64(now()), entropy: sandbox.entropy,
            interfaces: zip(plan.manifest.networks, guestInterfaces).map { former, interface in
                var interface = interface
                // The card's driver has learned the most that it may be from the other pod's network.
                interface.mtu = min(interface.mtu ?? .max, UInt32(former.mtu))
                return .init(formerHardwareAddress: former.hardwareAddress, interface: interface)
            },
            containers: Dictionary(plan.containers.map { ($0.former, $0.record.id) }) { first, _ in first })
    }

    /// Gives the containers their limits, and removes from the machine what did not run.
    private func takeOver(_ plan: RestorePlan, _ machine: any Machine, _ guest: any Guest) async throws {
        for other in plan.manifest.others {
            try await translated("remove a container") { try await guest.ask(.removeContainer(id: other)) }
        }
        let used = Set(layersInUse.map(layerSerial))
        for layer in plan.layers where !used.contains(layer.serial) { try await machine.detach(serial: layer.serial) }
        if plan.manifest.podResources != nil {
            // A pod is held to its machine's size alone until it is updated.
            var limits = ContainerResources()
            (limits.cpuQuota, limits.memoryLimit) = (-1, -1)
            try await translated("lift the pod's limits") { try await guest.ask(.updatePodResources(limits)) }
        }
        for container in plan.containers {
            let id = container.record.id
            if let resources = container.resources {
                try await translated("change the container's limits") {
                    try await guest.ask(.updateResources(id: id, resources: resources))
                }
            }
            try await update(id) { $0.phase = .created }
        }
    }
}
