import CarpelCore
import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import TestSupport
import Testing

extension AgentTests {
    @Suite(.serialized) struct Machine {
        @Test func theAgentIsSmall() async throws {
            #expect(try GuestFiles().agentSize() < 8 << 20)
            let machine = try await TestMachine.boot()
            try await machine.guest.call(.configure(TestMachine.configuration()))
            var spec = ContainerSpec.shell("exec sleep 1000")
            spec.namespaces.pid = .pod
            try await machine.guest.start(spec)
            guard case .state(let state) = try await machine.guest.call(.state) else { throw SupportError("no state") }
            let resident = try #require(state.agentResidentBytes)
            #expect(resident < 6 << 20)
            print("boot to HELLO: \(machine.bootTime), agent resident: \(resident >> 10) KiB")
            try await machine.end()
        }

        @Test func machinesDrawDifferentRandomNumbers() async throws {
            var drawn: Set<String> = []
            for _ in 0..<2 {
                let machine = try await TestMachine.boot()
                try await machine.guest.call(.configure(TestMachine.configuration()))
                drawn.insert(
                    try await machine.guest.run(
                        .shell("head -c 16 /dev/urandom | md5sum; cat /proc/sys/kernel/random/uuid")
                    ).stdout)
                try await machine.end()
            }
            #expect(drawn.count == 2)
        }

        @Test func shutdownPowersTheMachineOffWithACleanDisk() async throws {
            let machine = try await TestMachine.boot()
            try await machine.guest.call(.configure(TestMachine.configuration()))
            try await machine.guest.start(.shell("while :; do echo x > /tmp/file; done"))
            try await machine.guest.call(.shutdown)
            await machine.guest.waitUntilClosed()
            try await machine.waitForEnd()
            #expect(!machine.console.contains("carpel-agent"))
            // Without a journal, only an unmounted file system is a clean one.
            try await shell(
                "dumpe2fs -h \"$1\" 2>/dev/null | grep -q 'state: *clean$'; e2fsck -fn \"$1\"", machine.scratch)
        }

        @Test func shutdownLeavesCleanVolumesEvenFrozenOnes() async throws {
            let machine = try await TestMachine.boot()
            try await machine.guest.call(.configure(TestMachine.configuration()))
            let names = ["busy", "frozen"]
            var spec = ContainerSpec.shell("while :; do echo x > /busy/file; echo x > /frozen/file; done")
            var files: [String] = []
            for name in names {
                let file = try await machine.file(name, bytes: 16 << 20, "mkfs.ext4 -q -F \"$1\"")
                try await machine.plug(file, serial: name)
                let source = GuestVolume.Source.disk(serial: name, fileSystem: "ext4")
                try await machine.guest.call(.addVolume(GuestVolume(name: name, source: source)))
                spec.mounts.append(.volume(name, at: "/\(name)"))
                files.append(file)
            }
            try await machine.guest.start(spec)
            try await machine.guest.call(.freezeVolume(name: "frozen", timeoutSeconds: 600))
            try await machine.guest.call(.shutdown)
            await machine.guest.waitUntilClosed()
            try await machine.waitForEnd()
            for file in files { try await shell("e2fsck -fn \"$1\"", file) }
        }

        @Test func beforeItIsConfiguredAMachineRefusesContainers() async throws {
            let machine = try await TestMachine.boot()
            let guest = machine.guest
            #expect(await failure { try await guest.call(.createContainer(.shell("true"))) } == .invalidState)
            #expect(await configuring(guest) { $0.entropy = [1, 2, 3] } == .invalidArgument)
            #expect(await configuring(guest) { $0.sysctls = ["net.nothing": "1"] } == .sysctlFailed)
            #expect(await configuring(guest) { $0.sysctls = ["../../etc/x": "1"] } == .sysctlFailed)
            #expect(await configuring(guest) { $0.interfaces?[0].addresses = ["10.0.0.1/33"] } == .invalidArgument)
            // It can still be told right.
            try await guest.call(.configure(TestMachine.configuration()))
            #expect(try await guest.run(.shell("echo fine")).stdout == "fine\n")
            #expect(machine.console == "")
            try await machine.end()
        }

        private func configuring(
            _ guest: GuestConnection, _ change: (inout SandboxConfiguration) -> Void
        ) async -> GuestFailure.Reason? {
            var configuration = TestMachine.configuration()
            change(&configuration)
            let changed = configuration
            return await failure { try await guest.call(.configure(changed)) }
        }
    }
}
