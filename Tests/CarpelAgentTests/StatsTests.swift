import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import TestSupport
import Testing

@testable import CarpelAgent

/// What the kernel writes, read without a machine.
struct CounterTests {
    @Test func interfacesAreReadWithoutTheLoopback() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
              eth0:1234567    89   1    2    0     0          0         0  7654321      98    3    4    0     0       0          0
            bad line
              eth1: 1 2 3

            """
        #expect(
            InterfaceCounters.parse(Array(text.utf8)) == [
                .init(
                    name: "eth0", received: .init(bytes: 1_234_567, packets: 89, errors: 1, dropped: 2),
                    sent: .init(bytes: 7_654_321, packets: 98, errors: 3, dropped: 4))
            ])
    }

    @Test func pressureIsReadInHundredths() {
        let text = "some avg10=12.34 avg60=0.05 avg300=0.00 total=987\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=6\n"
        let pressure = CgroupUsage.Pressure(Array(text.utf8))
        #expect(pressure.some.average10 == 1234 && pressure.some.average60 == 5 && pressure.some.total == 987)
        #expect(pressure.full.average10 == 100 && pressure.full.total == 6)
        #expect(CgroupUsage.Pressure(Array("rubbish".utf8)) == CgroupUsage.Pressure())
    }

    @Test func disksAreAddedUp() {
        let text = "8:0 rbytes=4096 wbytes=1 rios=2 wios=3 dbytes=0 dios=0\n254:0 rbytes=1 wbytes=1 rios=1 wios=1\n"
        let io = CgroupUsage.IO(Array(text.utf8))
        #expect(io.readBytes == 4097 && io.writtenBytes == 2 && io.reads == 3 && io.writes == 4)
    }

    @Test func memoryIsTheRangesThatAreNotInsideOthers() {
        let text = """
            00000000-00000fff : Reserved
            00001000-0009fbff : System RAM
            00100000-0dffffff : System RAM
              01000000-01c031d0 : Kernel code
              02000000-02ffffff : System RAM
            100000000-107ffffff : System RAM

            """
        #expect(
            Hardware.memoryRanges(Array(text.utf8)) == [
                0x1000...0x9FBFF, 0x10_0000...0xDFF_FFFF, 0x1_0000_0000...0x1_07FF_FFFF,
            ])
    }
}

extension AgentTests {
    @Suite(.serialized, .sharedMachine) struct Stats {
        private func stats() async throws -> GuestStats {
            guard case .stats(let stats) = try await sharedGuest().call(.stats) else { throw SupportError("no stats") }
            return stats
        }

        @Test func aContainersUseOfCPUMemoryDiskAndProcessesIsCounted() async throws {
            let guest = try sharedGuest()
            var spec = ContainerSpec.shell(
                "dd if=/dev/zero of=/written bs=1M count=5 2>/dev/null; touch /a /b; sleep 1000 & exec sleep 1000")
            spec.resources.memoryLimit = 40 << 20
            spec.resources.processLimit = 20
            try await guest.start(spec)
            var found: GuestStats.Container?
            try await eventually("the file is written and the layer measured") {
                found = try await stats().containers.first { $0.id == spec.id }
                return (found?.writableLayer?.bytes ?? 0) >= 5 << 20
            }
            let container = try #require(found)
            let usage = container.usage
            #expect(usage.cpu.usage > 0 && usage.cpu.usage >= usage.cpu.user)
            #expect(usage.memory.limit == 40 << 20 && usage.memory.usage > usage.memory.anonymous)
            #expect(usage.memory.usage <= 40 << 20 && usage.memory.pageFaults > 0)
            #expect(usage.processes == 2 && usage.processLimit == 20)
            #expect(usage.cpuPressure != nil && usage.memoryPressure != nil && usage.ioPressure != nil)
            #expect((3...20).contains(container.writableLayer?.inodes ?? 0))
            let all = try await stats()
            #expect(all.pod.cpu.usage >= usage.cpu.usage && all.machine.onlineCPUs == 1)
            #expect(all.machine.memoryBytes > 200 << 20 && all.machine.availableMemoryBytes < all.machine.memoryBytes)
            #expect(all.interfaces.map(\.name) == ["eth0"])
            try await guest.call(.removeContainer(id: spec.id))
            #expect(try await !stats().containers.contains { $0.id == spec.id })
        }

        @Test func anUpdateIsAppliedAsAWholeOrNotAtAll() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell("exec sleep 1000")
            try await guest.start(spec)
            let cgroup = "/sys/fs/cgroup"
            func limits() async throws -> String {
                let files = "cat \(cgroup)/cpu.weight \(cgroup)/cpu.max \(cgroup)/memory.max \(cgroup)/pids.max"
                return try await guest.run(.shell(files, in: spec.id)).stdout
            }
            var resources = ContainerResources()
            resources.cpuWeight = 50
            resources.cpuQuota = 20_000
            resources.memoryLimit = 64 << 20
            resources.oomScoreAdjustment = 77
            try await guest.call(.updateResources(id: spec.id, resources: resources))
            #expect(try await limits() == "50\n20000 100000\n67108864\nmax\n")
            let score = try await guest.run(.shell("cat /proc/1/oom_score_adj /proc/self/oom_score_adj", in: spec.id))
            #expect(score.stdout == "77\n77\n")

            resources.cpuWeight = 60
            resources.unified = ["memory.nothing": "1"]
            let reason = await failure {
                try await guest.call(.updateResources(id: spec.id, resources: resources))
            }
            #expect(reason == .cgroupFailed)
            #expect(try await limits() == "50\n20000 100000\n67108864\nmax\n")
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aLimitBelowWhatIsInUseIsRefusedAndFilePagesMakeWay() async throws {
            let guest = try sharedGuest()
            // dd keeps what it cannot write.
            let spec = ContainerSpec.shell(
                "dd if=/dev/zero of=/file bs=1M count=30; dd if=/dev/zero bs=24M count=1 | sleep 1000")
            try await guest.start(spec)
            var resources = ContainerResources()
            try await eventually("the memory is in use") {
                try await stats().containers.first { $0.id == spec.id }?.usage.memory.anonymous ?? 0 > 24 << 20
            }
            // The file's pages make way for this one.
            resources.memoryLimit = 40 << 20
            try await guest.call(.updateResources(id: spec.id, resources: resources))
            resources.memoryLimit = 16 << 20
            let reason = await failure {
                try await guest.call(.updateResources(id: spec.id, resources: resources))
            }
            #expect(reason == .memoryInUse)
            #expect(try await stats().containers.first { $0.id == spec.id }?.usage.memory.limit == 40 << 20)
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func hardwareThatIsThereNeedsNoTakingUp() async throws {
            try await sharedGuest().call(.takeUpHardware(virtualCPUs: 1, memoryBytes: 256 << 20))
        }
    }
}
