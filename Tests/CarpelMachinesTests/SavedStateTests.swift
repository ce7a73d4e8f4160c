import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelMachines

extension RealMachineTests {
    /// Machines whose state is saved, and machines that go on from it.
    @Suite(.serialized)
    struct SavedStateTests {
        @Test func aMachineGoesOnAndSoDoesAnotherFromItsState() async throws {
            let node = try TestNode.shared()
            var spec = node.place.spec("saved", disks: [try node.place.disk("first")])
            spec.canShareFolders = node.hypervisor.virtualFileSystem == .available
            let machine = try await node.hypervisor.start(spec)
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            // So that a LUN stays empty below one that is taken.
            try await machine.attach(node.place.disk("gone"))
            try await machine.attach(node.place.disk("later"))
            try await machine.detach(serial: "gone")
            try await seen(by: agent) { $0.map { $0.split(separator: " ")[1] } == ["first", "later"] }

            let path = "\(node.place.folder)/machine.state"
            let clock = Stopwatch()
            try await machine.pause()
            try await machine.pause()
            let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            defer { close(file) }
            try await machine.saveState(to: file)
            clock.lap("save of a machine of \(try FileHandle(fileDescriptor: dup(file)).seekToEnd() >> 20) MiB")
            let shape = try await machine.shape()
            #expect(shape.units == ["first": 0, "later": 2])
            try await machine.resume()
            try await machine.resume()
            try await agent.waitUntilUp()

            // Twice: the second one finds nothing of the first.
            for id in ["restored-1", "restored-2"] {
                var twin = spec
                twin.id = id
                twin.channelPath = "\(node.place.podFolder(id))/agent.sock"
                twin.bootLogPath = "\(node.place.podFolder(id))/boot.log"
                twin.disks = ["first", "later"].map {
                    DiskSpec(serial: $0, path: "\(node.place.folder)/\($0).img", readOnly: true)
                }
                lseek(file, 0, SEEK_SET)
                _ = clock.lap("between")
                let other = try await node.hypervisor.restore(twin, from: SavedState(shape: shape, descriptor: file))
                clock.lap("restore")
                let conversation = try AgentConversation(other.channelPath)
                try await conversation.waitUntilUp()
                #expect(try await conversation.disks().count == 2)
                try await other.attach(node.place.disk("gone"))
                try await seen(by: conversation) { $0.count == 3 }
                try await other.destroy()
            }
            try await agent.waitUntilUp()
            try await machine.destroy()
        }

        @Test func aStateThatIsCutOffIsRefusedAndNothingIsLeft() async throws {
            let node = try TestNode.shared()
            let spec = node.place.spec("cut")
            let machine = try await node.hypervisor.start(spec)
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            let file = open("\(node.place.folder)/cut.state", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            defer { close(file) }
            try await machine.pause()
            try await machine.saveState(to: file)
            let shape = try await machine.shape()
            try await machine.resume()
            ftruncate(file, lseek(file, 0, SEEK_END) / 2)
            lseek(file, 0, SEEK_SET)
            var twin = node.place.spec("cut-2")
            twin.id = "cut-2"
            await expectError("machineStateRejected") {
                _ = try await node.hypervisor.restore(twin, from: SavedState(shape: shape, descriptor: file))
            }
            #expect(!FileManager.default.fileExists(atPath: node.place.podFolder("cut-2")))
            var other = shape
            other.qemu = "1.0.0"
            await expectError("machineShapeMismatch") {
                _ = try await node.hypervisor.restore(twin, from: SavedState(shape: other, descriptor: file))
            }
            try await machine.destroy()
        }

        @Test func aSaveThatIsGivenUpLeavesTheMachineAsItWas() async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("given-up"))
            let agent = try AgentConversation(machine.channelPath)
            try await agent.waitUntilUp()
            try await machine.pause()
            // Nobody reads: the save cannot end.
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            let writing = ends[1]
            let saving = Task { try await machine.saveState(to: writing) }
            var ready = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            _ = await Task.detached { poll(&ready, 1, 20_000) }.value
            saving.cancel()
            close(ends[1])
            close(ends[0])
            await #expect(throws: (any Error).self) { try await saving.value }
            try await machine.resume()
            try await agent.waitUntilUp()
            try await machine.destroy()
        }
    }
}
