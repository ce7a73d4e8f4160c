import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelMachines

extension RealMachineTests {
    /// What needs processes of its own: the death of the one that owns machines, and two embedded drivers.
    @Suite(.serialized)
    struct HypervisorProcessTests {
        @Test func machineOutlivesTheKillOfItsOwnerAndIsTakenUpByTheNext() async throws {
            let place = try TestPlace()
            defer { place.remove() }
            await #expect(processExitsWith: .signal(SIGKILL)) { [place = place as TestPlace] in
                let node = try await TestNode(place)
                let machine = try await node.hypervisor.start(place.spec("survivor"))
                try await AgentConversation(machine.channelPath).waitUntilUp()
                try Data("\(machine.processID)".utf8).write(to: URL(fileURLWithPath: "\(place.folder)/pid"))
                // The whole process group, as a terminal or an impatient service manager would.
                setpgid(0, 0)
                kill(0, SIGKILL)
            }
            let id = try #require(Int32(try String(contentsOfFile: "\(place.folder)/pid", encoding: .utf8)))
            #expect(isRunning(id))
            await #expect(processExitsWith: .success) { [place = place as TestPlace, id = id as Int32] in
                let clock = Stopwatch()
                let node = try await TestNode(place)
                clock.lap("hypervisor opened")
                let machines = try await node.hypervisor.reattach()
                clock.lap("machine re-attached")
                let machine = try #require(machines.first)
                #expect(machines.map(\.id) == ["survivor"])
                #expect(machine.processID == id)
                #expect(machine.channelPath == place.spec("survivor").channelPath)
                #expect(try await node.hypervisor.reattach().first.map { $0 as AnyObject } === machine as AnyObject)

                let agent = try AgentConversation(machine.channelPath)
                try await agent.waitUntilUp()
                try await machine.attach(place.disk("later"))
                try await seen(by: agent) { $0 == ["sda later 1"] }
                clock.lap("disk plugged in and seen")

                try await agent.say("panic")
                guard case .panicked = await machine.end() else {
                    Issue.record("the panic of a re-attached machine was not told")
                    return
                }
                try await machine.destroy()
                #expect(!isRunning(id))
                await node.hypervisor.close()
            }
            if isRunning(id) { kill(id, SIGKILL) }
        }

        @Test func hypervisorsWithRootsOfTheirOwnRunSideBySide() async throws {
            let first = try TestPlace()
            defer { first.remove() }
            let second = try TestPlace()
            defer { second.remove() }
            async let keeper: Void = keepMachine(in: first)
            try await appearance(of: "\(first.folder)/up")
            await #expect(processExitsWith: .success) { [first = first as TestPlace, second = second as TestPlace] in
                let node = try await TestNode(second)
                #expect(try await node.hypervisor.reattach().isEmpty)
                let machine = try await node.hypervisor.start(second.spec("same-id"))
                #expect(isRunning(machine.processID))
                // libvirt opens one embedded driver a process.
                await expectError("stateDirectoryInUse") { _ = try await TestNode(first) }
                try await machine.destroy()
                await node.hypervisor.close()
            }
            await #expect(processExitsWith: .success) { [first = first as TestPlace] in
                await expectError("stateDirectoryInUse") { _ = try await TestNode(first) }
            }
            try Data().write(to: URL(fileURLWithPath: "\(first.folder)/enough"))
            await keeper
        }

        private func keepMachine(in place: TestPlace) async {
            await #expect(processExitsWith: .success) { [place = place as TestPlace] in
                let node = try await TestNode(place)
                let machine = try await node.hypervisor.start(place.spec("same-id"))
                try Data().write(to: URL(fileURLWithPath: "\(place.folder)/up"))
                try await appearance(of: "\(place.folder)/enough")
                #expect(isRunning(machine.processID))
                #expect(try await node.hypervisor.reattach().count == 1)
                try await machine.destroy()
                await node.hypervisor.close()
            }
        }

        @Test func closedHypervisorLeavesItsMachinesToTheNext() async throws {
            let place = try TestPlace()
            defer { place.remove() }
            await #expect(processExitsWith: .success) { [place = place as TestPlace] in
                let node = try await TestNode(place)
                let machine = try await node.hypervisor.start(place.spec("left"))
                let end = Task { await machine.end() }
                await node.hypervisor.close()
                #expect(await end.value == .unobserved)
                #expect(isRunning(machine.processID))

                let next = try await TestNode(place)
                let same = try #require(try await next.hypervisor.reattach().first)
                #expect(same.processID == machine.processID)
                try await same.destroy()
                await next.hypervisor.close()
            }
        }
    }
}
