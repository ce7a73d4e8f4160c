import CarpelAPI
import CarpelCore
import CarpelMachines

extension PodSandbox {
    /// How long a guest may take to put what was plugged in into use. A CPU takes an emulated one half a second.
    private static let takeUpTimeout = Duration.seconds(60)

    /// Gives the machine as much as asked; what it has more than that it keeps.
    ///
    /// - Throws: `RESOURCE_EXHAUSTED`/`machineAtMaximum` if it was not started for that much; nothing has changed then.
    func grow(virtualCPUs: Int, memory: ByteCount) async throws {
        let size = (virtualCPUs: max(record.virtualCPUs, virtualCPUs), memory: max(record.memoryBytes, memory.bytes))
        guard size != (record.virtualCPUs, record.memoryBytes) else { return }
        let running = try running()
        let capacity = try await running.machine.grow(
            virtualCPUs: size.virtualCPUs, guestMemory: ByteCount(size.memory))
        // Not noted before the guest has it: a repetition goes on where this one failed.
        try await takeUp(capacity, in: running)
        logger.info(
            "the machine has grown",
            metadata: ["virtualCPUs": "\(size.virtualCPUs)", "memory": "\(ByteCount(size.memory))"])
        try await updateRecord {
            $0.virtualCPUs = size.virtualCPUs
            $0.memoryBytes = size.memory
        }
    }

    /// Makes room for the limits of a container that is being made, as far as the machine can grow: a limit out of reach
    /// is a ceiling all the same, and keeps no container from running.
    func makeRoom(for record: ContainerRecord) async throws {
        guard let resources = record.currentResources else { return }
        try await serialisingDevices { try await self.growAsFarAsPossible(for: resources, of: record.id) }
    }

    private func growAsFarAsPossible(for resources: LinuxContainerResources, of id: String) async throws {
        let needed = neededSize(with: resources, of: id)
        let size = environment.configuration.pods.withinMaximum(needed)
        do {
            try await grow(virtualCPUs: size.virtualCPUs, memory: size.memory)
            guard size != needed else { return }
        } catch let error as CarpelError where error.code == .resourceExhausted {
            logger.warning("the machine cannot grow to its containers' limits", metadata: ["cause": "\(error)"])
            return
        }
        logger.warning(
            "the containers' limits are above what a machine may grow to",
            metadata: ["virtualCPUs": "\(needed.virtualCPUs)", "memory": "\(needed.memory)"])
    }

    private func takeUp(_ capacity: MachineCapacity, in running: RunningPod) async throws {
        try await translated("put the machine's new hardware into use") {
            try await running.guest.ask(
                .takeUpHardware(virtualCPUs: capacity.virtualCPUs, memoryBytes: UInt64(capacity.memory.bytes)),
                within: Self.takeUpTimeout)
        }
    }

    /// After a start of the daemon, which may have ended while the machine grew.
    func finishGrowth(of machine: any Machine) async {
        do {
            let running = try running()
            let capacity = try await machine.capacity()
            guard capacity.virtualCPUs > record.virtualCPUs else { return }
            try await takeUp(capacity, in: running)
            try await updateRecord { $0.virtualCPUs = capacity.virtualCPUs }
        } catch {
            logger.warning("cannot tell how large the machine is", metadata: ["cause": "\(error)"])
        }
    }
}

extension PodsConfiguration {
    /// As much of it as a machine may grow to.
    func withinMaximum(_ size: (virtualCPUs: Int, memory: ByteCount)) -> (virtualCPUs: Int, memory: ByteCount) {
        (min(size.virtualCPUs, maximumVirtualCPUs), min(size.memory, maximumMemory))
    }
}
