import CarpelCore
import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import TestSupport
import Testing

@testable import CarpelMachines

extension RealMachineTests {
    /// CPUs and memory, plugged into machines with the real agent.
    @Suite(.serialized, .enabled(if: AgentPlace.guest != nil, "run hack/guest"))
    struct GrowthTests {
        @Test func machineGrowsAndTheGuestUsesWhatItGot() async throws {
            let node = try TestNode.shared()
            let agent = try await AgentPlace(node.place)
            let folder = SharedFolder("\(node.place.folder)/growing")
            try folder.make()
            defer { try? folder.remove() }
            var spec = try await agent.spec("growing", in: node.place, sharedFolder: folder)
            spec.maximumVirtualCPUs = 3
            spec.maximumGuestMemory = .gibibytes(2)
            spec.kernelArguments += ["swiotlb=noforce", "memory_hotplug.memmap_on_memory=1"]
            let machine = try await node.hypervisor.start(spec)
            let guest = try await connect(to: machine)
            try await guest.configure("growing", sharedFolder: true)
            try Data("seen".utf8).write(to: URL(fileURLWithPath: "\(agent.folder)/shared-file"))
            let place = try folder.bind("\(agent.folder)/shared-file", as: "file", readOnly: true)
            try await guest.startHolder("c", [.shared(place, at: "/file", readOnly: true)])

            let start = try await machine.capacity()
            #expect(start.virtualCPUs == 1 && start.maximumVirtualCPUs == 3)
            let before = try await guest.machine()
            #expect(before.onlineCPUs == 1)
            let tables = try await guest.run("grep -E 'MemTotal|MemAvailable|Percpu' /proc/meminfo", in: "c")
            print("\(start), guest: \(before)\n\(tables)")

            let clock = Stopwatch()
            let grown = try await machine.grow(virtualCPUs: 2, guestMemory: .mebibytes(512))
            clock.lap("a CPU and memory plugged in")
            #expect(grown.virtualCPUs == 2 && grown.memory >= start.memory + .mebibytes(448))
            try await guest.call(.takeUpHardware(virtualCPUs: 2, memoryBytes: UInt64(grown.memory.bytes)))
            clock.lap("taken into use")
            let after = try await guest.machine()
            #expect(after.onlineCPUs == 2)
            #expect(after.memoryBytes >= before.memoryBytes + 440 << 20)
            #expect(try await guest.run("nproc", in: "c") == "2\n")
            // More than the machine had, in one piece.
            #expect(
                try await guest.run("dd if=/dev/zero of=/dev/null bs=180M count=1", in: "c").contains("1+0 records out")
            )
            // virtiofsd reaches what was plugged in, too.
            #expect(try await guest.run("cat /file", in: "c") == "seen")

            // Said again, nothing is added; less than there is, nothing is taken away.
            #expect(try await machine.grow(virtualCPUs: 1, guestMemory: .mebibytes(64)) == grown)
            #expect(try await machine.grow(virtualCPUs: 2, guestMemory: .mebibytes(512)) == grown)
            await expectError("machineAtMaximum") {
                _ = try await machine.grow(virtualCPUs: 4, guestMemory: .mebibytes(800))
            }
            await expectError("machineAtMaximum") {
                _ = try await machine.grow(virtualCPUs: 3, guestMemory: .gibibytes(400))
            }
            #expect(try await machine.capacity() == grown)
            let usage = try await machine.usage()
            #expect(usage.processes == 3 && usage.virtualCPUNanoseconds > 0 && usage.overheadNanoseconds > 0)
            #expect((usage.guestMemory ?? ByteCount(0)) > .mebibytes(200))
            print("after \(grown): \(usage)")
            try await machine.destroy()
        }
    }
}

extension GuestConnection {
    fileprivate func machine() async throws -> GuestStats.Machine {
        guard case .stats(let stats) = try await call(.stats) else { throw SupportError("no stats") }
        return stats.machine
    }
}
