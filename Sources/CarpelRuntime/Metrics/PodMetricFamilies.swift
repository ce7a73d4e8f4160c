import CarpelAPI
import CarpelGuestProtocol

private typealias Family = MetricFamily<PodReading>

/// A pod's own metrics: cAdvisor's of its network, and Carpel's of its machine.
let podMetricFamilies: [MetricFamily<PodReading>] = networkFamilies + machineFamilies

private let networkFamilies: [Family] =
    [
        ("receive", "received", \GuestStats.Interface.received), ("transmit", "sent", \.sent),
    ].flatMap { (word: String, done: String, direction: KeyPath<GuestStats.Interface, GuestStats.Traffic> & Sendable) in
        [
            ("bytes", "Bytes \(done).", \GuestStats.Traffic.bytes), ("packets", "Packets \(done).", \.packets),
            ("errors", "Errors while packets were \(done).", \.errors),
            ("packets_dropped", "Packets dropped that were to be \(done).", \.dropped),
        ].map { (what: String, help: String, count: KeyPath<GuestStats.Traffic, UInt64> & Sendable) in
            Family("container_network_\(word)_\(what)_total", .COUNTER, help, labels: ["interface"]) { reading in
                reading.guest.interfaces.map { ([$0.name], $0[keyPath: direction][keyPath: count]) }
            }
        }
    }

private let machineFamilies: [Family] = [
    Family("carpel_machine_virtual_cpus", .GAUGE, "The machine's CPUs.") { UInt64($0.guest.machine.onlineCPUs) },
    Family("carpel_machine_memory_bytes", .GAUGE, "What the pod may use of the machine's memory.") {
        UInt64(clamping: $0.record.memoryBytes)
    },
    Family("carpel_machine_memory_available_bytes", .GAUGE, "What the guest's kernel has left.") {
        $0.guest.machine.availableMemoryBytes
    },
    Family(
        "carpel_machine_virtual_cpu_milliseconds_total", .COUNTER,
        "CPU time of the node that the machine's CPUs used, that of the containers included."
    ) { $0.machine.map { $0.virtualCPUNanoseconds / 1_000_000 } },
    Family(
        "carpel_machine_overhead_cpu_milliseconds_total", .COUNTER,
        "CPU time of the node that the rest of the machine used: QEMU's devices, virtiofsd."
    ) { $0.machine.map { $0.overheadNanoseconds / 1_000_000 } },
    Family("carpel_machine_guest_resident_bytes", .GAUGE, "The guest's memory that the node holds.") {
        $0.machine?.guestMemory.map { UInt64(clamping: $0.bytes) }
    },
    Family("carpel_machine_overhead_bytes", .GAUGE, "Memory of the machine's processes beside the guest's.") {
        $0.machine.map { UInt64(clamping: $0.overheadMemory.bytes) }
    },
]
