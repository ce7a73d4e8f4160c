import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelRuntime

@Suite struct MachineSizeTests {
    private func size(_ resources: LinuxContainerResources?) throws -> (virtualCPUs: Int, memory: ByteCount) {
        try machineSize(of: resources ?? LinuxContainerResources(), defaults: (cpus: 2, memory: .mebibytes(256)))
    }

    @Test func aPodThatAsksForNothingGetsTheDefaults() throws {
        let unspecific = try size(nil)
        #expect(unspecific == (2, .mebibytes(256)))
        let bare = try machineSize(of: LinuxContainerResources(), defaults: (cpus: 0, memory: .mebibytes(128)))
        #expect(bare == (1, .mebibytes(128)))
    }

    @Test(arguments: [
        (quota: Int64(50_000), period: Int64(100_000), shares: Int64(0), cpus: 1),
        (100_000, 100_000, 0, 1), (100_001, 100_000, 0, 2), (250_000, 100_000, 8192, 3),
        (30_000, 10_000, 0, 3), (400_000, 0, 0, 4), (-1, 100_000, 3072, 3), (0, 100_000, 2, 2), (0, 0, 1025, 2),
        (0, 0, 5120, 5),
    ])
    func cpusFollowTheQuotaAndWithoutOneTheShares(quota: Int64, period: Int64, shares: Int64, cpus: Int) throws {
        let resources = LinuxContainerResources {
            $0.cpuQuota = quota
            $0.cpuPeriod = period
            $0.cpuShares = shares
        }
        #expect(try size(resources).virtualCPUs == cpus)
    }

    /// What the guest itself needs is added once, by the machine.
    @Test func memoryIsTheLimit() throws {
        #expect(try size(LinuxContainerResources { $0.memoryLimitInBytes = 100 << 20 }).memory == .mebibytes(100))
    }

    @Test func aMachineBeyondAllMachinesIsRefused() {
        let cpus = refusal { _ = try size(LinuxContainerResources { $0.cpuQuota = 25_600_000 }) }
        #expect(cpus?.field == "config.linux.resources.cpuQuota")
        let memory = refusal { _ = try size(LinuxContainerResources { $0.memoryLimitInBytes = .max }) }
        #expect(memory?.reason == "machineTooLarge")
    }
}
