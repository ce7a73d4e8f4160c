import CarpelCore

/// What lets CPUs and memory be plugged into a domain later.
///
/// Source: https://libvirt.org/formatdomain.html#memory-devices
struct GrowthRoom: Sendable {
    /// Each is a device in the guest's ACPI tables from the start on.
    static let slots = 16

    private let spec: MachineSpec
    private let start: ByteCount

    /// - Parameter memory: The machine's at its start.
    init(_ spec: MachineSpec, memory: ByteCount) {
        self.spec = spec
        start = memory
    }

    /// Nil for a machine that keeps the memory that it has. What comes on top of the pod's memory, and what the last
    /// module has too much, is in a tenth more and one module for each slot.
    var memory: DomainElement? {
        guard spec.maximumGuestMemory > spec.guestMemory else { return nil }
        let growth = spec.maximumGuestMemory.bytes - spec.guestMemory.bytes
        let modules = MemoryModule.size(atLeast: ByteCount(growth + growth / 10), machine: start)
        let slack = Int64(Self.slots) * MemoryModule.smallest.bytes
        return DomainElement(
            "maxMemory", ["slots": "\(Self.slots)", "unit": "KiB"],
            text: "\((start.bytes + modules.bytes + slack) >> 10)")
    }

    var processors: DomainElement {
        guard spec.maximumVirtualCPUs > spec.virtualCPUs else {
            return DomainElement("vcpu", text: "\(spec.virtualCPUs)")
        }
        return DomainElement("vcpu", ["current": "\(spec.virtualCPUs)"], text: "\(spec.maximumVirtualCPUs)")
    }

    /// Memory is plugged into a node; libvirt wants one to be named.
    var node: DomainElement? {
        guard memory != nil else { return nil }
        let processors = spec.maximumVirtualCPUs == 1 ? "0" : "0-\(spec.maximumVirtualCPUs - 1)"
        return DomainElement(
            "numa",
            [
                DomainElement(
                    "cell", ["id": "0", "cpus": processors, "memory": "\(start.bytes >> 10)", "unit": "KiB"])
            ])
    }
}

/// Memory that is plugged into a machine. It cannot be taken out again: the kernel's own data end up in it.
struct MemoryModule: Sendable {
    /// Linux manages memory in blocks, of which a module must be a multiple: 128 MiB, and up to 2 GiB in machines of
    /// 64 GiB and more. Source: arch/x86/mm/init_64.c, `probe_memory_block_size`
    static let smallest = ByteCount.mebibytes(128)
    private static let largestBlock = ByteCount.gibibytes(2)
    private static let largeMachine = ByteCount.gibibytes(64)

    let size: ByteCount

    /// - Parameter machine: The memory that the machine has.
    static func size(atLeast wanted: ByteCount, machine: ByteCount) -> ByteCount {
        let block = machine < largeMachine ? smallest.bytes : largestBlock.bytes
        return ByteCount((wanted.bytes + block - 1) / block * block)
    }

    var element: DomainElement {
        DomainElement(
            "memory", ["model": "dimm"],
            [
                DomainElement(
                    "target",
                    [
                        DomainElement("size", ["unit": "KiB"], text: "\(size.bytes >> 10)"),
                        DomainElement("node", text: "0"),
                    ])
            ])
    }
}
