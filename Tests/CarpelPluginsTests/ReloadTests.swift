import CarpelCore
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import CarpelPlugins

/// Two versions of a plugin at once.
@Suite struct ReloadTests {
    private func add(_ pod: String) -> NetworkAddRequest { NetworkAddRequest(pod: PodIdentity(id: pod)) }

    private func version(_ plugin: TestPlugin) async throws -> JSONValue? {
        try await plugin.members("VERSION")["version"]
    }

    @Test func newCallsGoToTheNewVersionAndPodsOfTheOldOneKeepIt() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let network = try await plugin.plugins.network("test")
            #expect(try await network.add(add("old")).device == "tap1")
            let first = try #require(try await plugin.status.processID)

            try await node.install(defines: ["VERSION=\"2\""], manifest: ["version": "2.0.0"])
            let status = try await plugin.plugins.reload("test")
            #expect(status.state == .ready && status.version == "2.0.0" && status.processID != first)
            #expect(status.oldGenerations.map(\.version) == ["1.0.0"] && status.oldGenerations.first?.users == 1)
            #expect(try await version(plugin) == .string("2"))
            #expect(try await network.add(add("new")).device == "tap2")
            // A repetition reaches who has done it.
            #expect(try await network.add(add("old")).device == "tap1")
            #expect(!hasEnded(first))

            try await network.delete(NetworkDeleteRequest(podID: "old"))
            try await eventually("the old version ends") { hasEnded(first) }
            #expect(try await plugin.status.oldGenerations.isEmpty)
            try await network.delete(NetworkDeleteRequest(podID: "new"))
            #expect(try await version(plugin) == .string("2"))
        }
    }

    @Test func callsInFlightEndInTheVersionThatTheyBeganIn() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let first = try #require(try await plugin.status.processID)
            let held = Task { try await plugin.call("RELEASED") }
            try await eventually("the call is held") { FileManager.default.fileExists(atPath: node.stateFile("held")) }
            try await node.install(defines: ["VERSION=\"2\""])
            let status = try await plugin.plugins.reload("test")
            #expect(status.oldGenerations.first?.callsInFlight == 1)
            #expect(try await version(plugin) == .string("2"))
            #expect(!hasEnded(first))
            unlink(node.stateFile("held"))
            #expect(try await held.value == .object([:]))
            try await eventually("the old version ends") { hasEnded(first) }
        }
    }

    @Test func aNewVersionThatDoesNotLoadLeavesTheOldOneServing() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let before = try await plugin.status.processID
            try await node.install(defines: ["NO_SYMBOL"], manifest: ["version": "2.0.0"])
            let library = await #expect(throws: CarpelError.self) { try await plugin.plugins.reload("test") }
            #expect(library?.reason == "symbolMissing", "\(String(describing: library))")
            try node.write(manifest: ["capabilities": ["CAP_NET_ADMNI"]], name: "test")
            let manifest = await #expect(throws: CarpelError.self) { try await plugin.plugins.reload("test") }
            #expect(manifest?.reason == "manifestInvalid")
            let status = try await plugin.status
            #expect(status.state == .ready && status.processID == before && status.version == "1.0.0")
            #expect(try await version(plugin) == .string("1"))
        }
    }

    @Test func anOldVersionThatDiesLeavesItsPodsToTheNewOne() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let network = try await plugin.plugins.network("test")
            _ = try await network.add(add("pod"))
            let first = try #require(try await plugin.status.processID)
            try await node.install(defines: ["VERSION=\"2\""])
            _ = try await plugin.plugins.reload("test")
            kill(first, SIGKILL)
            try await eventually("the old version is gone") { try await plugin.status.oldGenerations.isEmpty }
            #expect(try await network.add(add("pod")).device == "tap2")
            #expect(try await plugin.status.restarts == 0)
        }
    }

    @Test func garbageCollectionReleasesWhatItDoesNotList() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let supervisor = plugin.calls
            for user in ["a", "b", "c"] {
                let use = AttachmentUse.takes(AttachmentUser(of: [user]))
                _ = try await supervisor.call("PING", .json(Data("{}".utf8)), timeout: .seconds(20), use: use)
                await supervisor.settle(use, succeeded: user != "c")
            }
            try await node.install(defines: ["VERSION=\"2\""])
            #expect(try await plugin.plugins.reload("test").oldGenerations.first?.users == 2)
            await supervisor.settle(.givesAll { $0 != AttachmentUser(of: ["b"]) }, succeeded: true)
            #expect(try await plugin.status.oldGenerations.first?.users == 1)
            await supervisor.settle(.givesAll { _ in true }, succeeded: false)
            #expect(try await plugin.status.oldGenerations.first?.users == 1)
            await supervisor.settle(.givesAll { _ in true }, succeeded: true)
            #expect(try await plugin.status.oldGenerations.isEmpty)
        }
    }

    @Test func aFailedPluginIsStartedByAReload() async throws {
        let node = try TestNode()
        try await node.install(defines: ["NO_SYMBOL"])
        try await node.withPlugins { plugins in
            guard case .failed = await plugins.list().first?.state else { throw SupportError("not failed") }
            try await node.install()
            #expect(try await plugins.reload("test").state == .ready)
            try await plugins.network("test").status()
        }
    }

    @Test func aPluginThatIsNewIsFoundByAReload() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let missing = await #expect(throws: CarpelError.self) { try await plugin.plugins.reload("late") }
            #expect(missing?.reason == "pluginNotFound")
            try await node.install("late")
            #expect(try await plugin.plugins.reload("late").state == .ready)
            #expect(await plugin.plugins.list().map(\.name) == ["late", "test"])
        }
    }
}
