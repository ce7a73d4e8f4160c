import CarpelCore

/// What lets CPUs and memory be plugged into a domain later.
///
/// Source: https://libvirt.org/formatdomain.html#memory-devices
struct GrowthRoom: Sendable {
    /// Each is a device in the guest's ACPI tables from the start on.
    static let slots = 16

    private let start: ByteCount
    /// Nil for a machine that keeps the memory that it has.
    private let maximum: ByteCount?
    private let virtualCPUs: Int
    private let maximumVirtualCPUs: Int

    /// What comes on top of the pod's memory, and what the last module has too much, is in a tenth more and one module
    /// for each slot.
    ///
    /// - Parameter memory: The machine's at its start.
    init(_ spec: MachineSpec, memory: ByteCount) {
        start = memory
        (virtualCPUs, maximumVirtualCPUs) = (spec.virtualCPUs, max(spec.virtualCPUs, spec.maximumVirtualCPUs))
        let growth = spec.maximumGuestMemory.bytes - spec.guestMemory.bytes
        let modules = MemoryModule.size(atLeast: ByteCount(growth + growth / 10), machine: memory)
        let slack = Int64(Self.slots) * MemoryModule.smallest.bytes
        maximum = growth > 0 ? ByteCount(memory.bytes + modules.bytes + slack) : nil
    }

    /// The room that the machine had whose state another one goes on from.
    init(_ shape: MachineShape) {
        start = .kibibytes(shape.memoryKibibytes)
        maximum = shape.maximumMemoryKibibytes.map(ByteCount.kibibytes)
        (virtualCPUs, maximumVirtualCPUs) = (shape.virtualCPUs, shape.maximumVirtualCPUs)
    }

    var memory: DomainElement? {
        maximum.map { maximum in
            DomainElement(
                "maxMemory", ["slots": "\(Self.slots)", "unit": "KiB"], text: "\(maximum.bytes >> 10)")
        }
    }

    var processors: DomainElement {
        guard maximumVirtualCPUs > virtualCPUs else { return DomainElement("vcpu", text: "\(virtualCPUs)") }
        return DomainElement("vcpu", ["current": "\(virtualCPUs)"], text: "\(maximumVirtualCPUs)")
    }

    /// Memory is plugged into a node; libvirt wants one to be named.
    var node: DomainElement? {
        guard memory != nil else { return nil }
        let processors = maximumVirtualCPUs == 1 ? "0" : "0-\(maximumVirtualCPUs - 1)"
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
