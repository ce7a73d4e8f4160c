import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelMachines

/// Machines of real libvirt and QEMU, one test after the other: exit tests block threads of the cooperative pool
/// while their process runs, and on a small host would keep the others from noticing anything.
@Suite(SharedNode(), .serialized, .enabled(if: TestGuest.kernelPath != nil, "needs a kernel: run hack/guest"))
enum RealMachineTests {}

extension RealMachineTests {
    @Suite(.serialized)
    struct LibvirtMachineTests {
        @Test func startedMachineAnswersOnItsChannelAndIsGoneWhenDestroyed() async throws {
            let node = try TestNode.shared()
            let clock = Stopwatch()
            let machine = try await node.hypervisor.start(node.place.spec("one"))
            clock.lap("start of a machine, the first of this root")
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            clock.lap("until its guest answers")
            #expect(kill(machine.processID, 0) == 0)
            #expect(try await machine.domainXML().contains("<kernel>\(node.place.guest.kernel)</kernel>"))
            try await machine.destroy()
            clock.lap("destroy")
            #expect(!isRunning(machine.processID))
            #expect(await machine.end() == .destroyed)
            #expect(!FileManager.default.fileExists(atPath: machine.channelPath))
            try await machine.destroy()
        }

        @Test func machineOfTheSameIdStartsAgainAfterItsEndButNotBefore() async throws {
            let node = try TestNode.shared()
            let clock = Stopwatch()
            let first = try await node.hypervisor.start(node.place.spec("twice"))
            clock.lap("start of a machine")
            await expectError("machineExists") {
                _ = try await node.hypervisor.start(node.place.spec("twice"))
            }
            #expect(FileManager.default.fileExists(atPath: first.channelPath))
            try await first.destroy()
            let second = try await node.hypervisor.start(node.place.spec("twice"))
            #expect(second.processID != first.processID)
            try await second.destroy()
        }

        @Test func qemuRunsUnprivilegedInASessionOfItsOwnAndIsNobodysChild() async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("session"))
            let id = machine.processID
            #expect(getsid(id) != getsid(0))
            #expect(getpgid(id) != getpgid(0))
            let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8).split(separator: "\n")
            func field(_ name: String) -> String? {
                status.first { $0.hasPrefix("\(name):") }?.split(separator: "\t").dropFirst().first.map(String.init)
            }
            let account = try Account(user: "carpel-qemu", group: "carpel-qemu")
            #expect(field("Uid") == "\(account.user)")
            #expect(field("CapEff") == "0000000000000000")
            #expect(field("NoNewPrivs") == "1")
            #expect(field("PPid") != "\(getpid())")
            try await machine.destroy()
        }

        @Test func kernelInitramfsAndSharedLayersKeepTheirOwner() async throws {
            let node = try TestNode.shared()
            let layer = try node.place.disk("owner-layer")
            let scratch = try node.place.disk("owner-scratch", readOnly: false, bus: .virtioBlock)
            let machine = try await node.hypervisor.start(node.place.spec("owners", disks: [layer, scratch]))
            let account = try Account(user: "carpel-qemu", group: "carpel-qemu")
            #expect(FileStatus(node.place.guest.initramfs)?.user == 0)
            #expect(FileStatus(layer.path)?.user == 0)
            #expect(FileStatus(scratch.path)?.user == account.user)
            #expect(FileStatus(node.place.podFolder("owners"))?.mode == 0o700)
            try await machine.destroy()
        }

        @Test func disksArePluggedInSeenByTheGuestAndUnplugged() async throws {
            let node = try TestNode.shared()
            let layers = try (0..<4).map { try node.place.disk("layer-\($0)") }
            let scratch = try node.place.disk("scratch", readOnly: false, bus: .virtioBlock)
            let machine = try await node.hypervisor.start(node.place.spec("disks", disks: [layers[0], scratch]))
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            #expect(try await agent.disks() == ["sda layer-0 1", "vda scratch 0"])

            let clock = Stopwatch()
            try await withThrowingTaskGroup { group in
                for layer in layers { group.addTask { try await machine.attach(layer) } }
                try await group.waitForAll()
            }
            clock.lap("three disks plugged in")
            #expect(
                try await machine.attachedDisks().sorted() == ["layer-0", "layer-1", "layer-2", "layer-3", "scratch"])
            try await seen(by: agent) { $0.count == 5 }
            clock.lap("until the guest sees them")

            try await machine.detach(serial: "layer-2")
            try await machine.detach(serial: "layer-2")
            clock.lap("unplugged")
            #expect(try await machine.attachedDisks().sorted() == ["layer-0", "layer-1", "layer-3", "scratch"])
            try await seen(by: agent) { disks in !disks.contains { $0.contains("layer-2") } }

            try await machine.attach(layers[2])
            try await seen(by: agent) { disks in disks.contains { $0.contains("layer-2 1") } }
            var other = try node.place.disk("other")
            other.serial = "layer-2"
            await expectError("diskSerialInUse") { [other] in try await machine.attach(other) }
            try await machine.destroy()
        }

        @Test func deathOfQEMUIsNoticedAtOnce() async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("killed"))
            let clock = Stopwatch()
            kill(machine.processID, SIGKILL)
            let end = await machine.end()
            #expect(clock.lap("kill -9 noticed") < .seconds(1))
            guard case .died = end else {
                Issue.record("\(end)")
                return
            }
            await #expect(throws: CarpelError.self) { try await machine.attach(node.place.disk("late")) }
            try await machine.destroy()
        }

        @Test func panicOfTheGuestIsTold() async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("panic"))
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            let clock = Stopwatch()
            try await agent.say("panic")
            let end = await machine.end()
            clock.lap("panic noticed")
            guard case .panicked(let console) = end else {
                Issue.record("\(end)")
                return
            }
            #expect(console.contains("sysrq triggered crash"))
            try await machine.destroy()
        }

        @Test(arguments: ["off", "reboot"]) func guestThatSwitchesItselfOffIsTold(word: String) async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("power-\(word)"))
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            let clock = Stopwatch()
            try await agent.say(word)
            #expect(await machine.end() == .poweredOff)
            clock.lap("\(word) noticed")
            try await machine.destroy()
        }

        @Test func cancelledStartLeavesNoProcessAndNoFile() async throws {
            let node = try TestNode.shared()
            let spec = node.place.spec("cancelled")
            let start = Task { try await node.hypervisor.start(spec) }
            // Cancelled when libvirt has begun: the domain's log is there before QEMU is.
            try await appearance(of: "\(node.place.configuration.stateDirectory)/log/qemu/carpel-cancelled.log")
            start.cancel()
            await expectError("cancelled") { _ = try await start.value }
            #expect(!isRunning(argument: "guest=carpel-cancelled,debug-threads=on"))
            #expect(!FileManager.default.fileExists(atPath: node.place.podFolder("cancelled")))
            let left = try FileManager.default.subpathsOfDirectory(atPath: node.place.configuration.stateDirectory)
            #expect(left.filter { $0.contains("cancelled") } == [])
        }

        @Test func failedStartTellsWhatQEMUSaidAndLeavesNoFile() async throws {
            let node = try TestNode.shared()
            var disk = try node.place.disk("broken")
            disk.format = .qcow2
            let spec = node.place.spec("failed", disks: [disk])
            let error = await #expect(throws: CarpelError.self) { _ = try await node.hypervisor.start(spec) }
            #expect(error?.code == .unavailable)
            #expect(error?.reason == "machineStartFailed")
            #expect(error?.message.contains("not in qcow2 format") == true, "\(error?.message ?? "")")
            #expect(!FileManager.default.fileExists(atPath: node.place.podFolder("failed")))
        }

        @Test func foreignDomainIsNotTouched() async throws {
            let node = try TestNode.shared()
            let foreign = try node.hypervisor.connection.create(
                """
                <domain type='qemu'><name>carpel-foreign</name><memory unit='MiB'>16</memory>
                <os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
                """)
            #expect(try await node.hypervisor.reattach().isEmpty)
            await expectError("machineExists") {
                _ = try await node.hypervisor.start(node.place.spec("foreign"))
            }
            #expect(try node.hypervisor.connection.runningDomains().count == 1)
            try foreign.destroy()
        }
    }
}
