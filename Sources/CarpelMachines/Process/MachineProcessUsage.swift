import CarpelCore
import Foundation
import Glibc

/// What a machine costs on the node: QEMU, and virtiofsd if it has a shared folder.
public struct MachineProcessUsage: Hashable, Sendable {
    /// Nanoseconds of the threads that run the guest's CPUs. What the guest itself used is the most of it.
    public var virtualCPUNanoseconds: UInt64 = 0
    /// Nanoseconds of everything else: devices, monitor, virtiofsd.
    public var overheadNanoseconds: UInt64 = 0
    /// The guest's memory as far as the node holds it; nil where it cannot be told from QEMU's own.
    public var guestMemory: ByteCount?
    /// What the processes have beside the guest's memory, and with it where that cannot be told. Pages that several
    /// processes of the node have, such as those of QEMU's program, count in part.
    public var overheadMemory = ByteCount(0)
    public var processes = 0

    public init() {}

    /// Adds up what the kernel says of the processes. Those that have ended are left out.
    init(of processes: [Int32]) {
        for process in processes {
            guard let memory = ProcessMemory(process) else { continue }
            self.processes += 1
            overheadMemory = overheadMemory + memory.own
            // The guest's memory is all that they share: a memfd, of a machine with a shared folder.
            if memory.shared.bytes > 0 { guestMemory = (guestMemory ?? ByteCount(0)) + memory.shared }
            for thread in ThreadTime.all(of: process) {
                if thread.isVirtualCPU {
                    virtualCPUNanoseconds += thread.nanoseconds
                } else {
                    overheadNanoseconds += thread.nanoseconds
                }
            }
        }
    }
}

/// Source: proc_pid_smaps_rollup(5).
struct ProcessMemory: Equatable {
    var own = ByteCount(0)
    /// Of shared memory, such as a memfd.
    var shared = ByteCount(0)

    init?(_ process: Int32) {
        guard let text = try? KernelFile.read("/proc/\(process)/smaps_rollup"), !text.isEmpty else { return nil }
        self.init(parsing: text)
    }

    init(parsing text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let kibibytes = Int64(words[1]) else { continue }
            switch words[0] {
            case "Pss_Anon:", "Pss_File:", "SwapPss:": own = own + .kibibytes(kibibytes)
            case "Pss_Shmem:": shared = shared + .kibibytes(kibibytes)
            default: break
            }
        }
    }
}

/// What a thread has used of the node's CPUs.
struct ThreadTime: Equatable {
    let isVirtualCPU: Bool
    let nanoseconds: UInt64

    static func all(of process: Int32) -> [ThreadTime] {
        let folder = "/proc/\(process)/task"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { thread in
            (try? KernelFile.read("\(folder)/\(thread)/stat")).flatMap { ThreadTime(parsing: $0) }
        }
    }

    /// Source: proc_pid_stat(5). QEMU calls the threads `CPU 0/KVM` and `CPU 0/TCG`. A name can hold anything, so what
    /// follows it is counted from its end.
    init?(parsing stat: String) {
        guard let start = stat.firstIndex(of: "("), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
        let name = stat[stat.index(after: start)..<end]
        isVirtualCPU = name.hasPrefix("CPU ") && (name.hasSuffix("/KVM") || name.hasSuffix("/TCG"))
        nanoseconds = (user + system) * (1_000_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK)))))
    }
}
