import CarpelCore

extension LibvirtMachine {
    func capacity() async throws -> MachineCapacity {
        try await calls.run("asking for the size of machine \(id)", timeout: timeout) { [domain] in
            try domain.live().capacity
        }
    }

    func grow(virtualCPUs: Int, guestMemory: ByteCount) async throws -> MachineCapacity {
        try await deviceOperations.run { [self] in
            try await calls.run("growing machine \(id)", timeout: timeout) { [domain, configuration] in
                let live = try domain.live()
                let memory = configuration.machineMemory(
                    for: guestMemory, maximumVirtualCPUs: live.capacity.maximumVirtualCPUs)
                let module = try live.module(growingTo: memory)
                try live.requireRoom(forVirtualCPUs: virtualCPUs)
                // The module first: it is what the host may not have, and nothing has changed then.
                if let module {
                    try domain.attach(module.element.document(), "plugging in \(module.size) of memory")
                }
                if virtualCPUs > live.capacity.virtualCPUs { try domain.setVirtualCPUs(virtualCPUs) }
                return try domain.live().capacity
            }
        }
    }
}

extension LiveDomain {
    /// What is to be plugged in; nil if the machine has that much.
    fileprivate func module(growingTo memory: ByteCount) throws -> MemoryModule? {
        guard memory > capacity.memory else { return nil }
        let size = MemoryModule.size(
            atLeast: ByteCount(memory.bytes - capacity.memory.bytes), machine: capacity.memory)
        guard let maximumMemory, capacity.memory + size <= maximumMemory else {
            throw CarpelError(
                .resourceExhausted, "machineAtMaximum",
                "the machine has \(capacity.memory) of memory and was started for \(maximumMemory ?? capacity.memory) "
                    + "at most, so it cannot have \(memory); start a new pod, or raise pods.maximumMemory for later ones"
            )
        }
        guard modules.count < GrowthRoom.slots else {
            throw CarpelError(
                .resourceExhausted, "noFreeMemorySlot",
                "memory has been added \(GrowthRoom.slots) times, and there is no slot for more; start a new pod")
        }
        return MemoryModule(size: size)
    }

    fileprivate func requireRoom(forVirtualCPUs count: Int) throws {
        guard count > capacity.maximumVirtualCPUs else { return }
        throw CarpelError(
            .resourceExhausted, "machineAtMaximum",
            "the machine was started for \(capacity.maximumVirtualCPUs) virtual CPUs at most, so it cannot have "
                + "\(count); start a new pod, or raise pods.maximumVirtualCPUs for later ones")
    }
}
