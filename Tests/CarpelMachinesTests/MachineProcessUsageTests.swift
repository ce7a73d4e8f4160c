import CarpelCore
import Foundation
import Testing

@testable import CarpelMachines

struct MachineProcessUsageTests {
    @Test func guestMemoryIsToldFromTheProcessesOwn() {
        let text = """
            55d0c0a00000-7ffd0a3f8000 ---p 00000000 00:00 0                          [rollup]
            Rss:              180000 kB
            Pss:              150000 kB
            Pss_Anon:          20000 kB
            Pss_File:           5000 kB
            Pss_Shmem:        125000 kB
            SwapPss:               7 kB

            """
        let memory = ProcessMemory(parsing: text)
        #expect(memory.own == .kibibytes(25_007) && memory.shared == .kibibytes(125_000))
    }

    @Test func threadsOfVirtualCPUsAreToldByTheirNames() throws {
        let rest = " S 1 2 3 0 -1 0 1 2 3 4 150 50 0 0 20 0 5 0 1 2 3"
        let processor = try #require(ThreadTime(parsing: "77 (CPU 0/TCG)\(rest)"))
        #expect(processor.isVirtualCPU && processor.nanoseconds == 2_000_000_000)
        let device = try #require(ThreadTime(parsing: "77 (a) (b) c)\(rest)"))
        #expect(!device.isVirtualCPU && device.nanoseconds == 2_000_000_000)
        #expect(ThreadTime(parsing: "rubbish") == nil)
    }

    @Test func theTestsOwnProcessIsCounted() {
        let usage = MachineProcessUsage(of: [getpid(), -1])
        #expect(usage.processes == 1 && usage.overheadMemory > .mebibytes(1) && usage.virtualCPUNanoseconds == 0)
    }
}
