import CarpelCore
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import CarpelPlugins

/// A plugin made with the SDK, in a real host.
@Suite struct SwiftPluginTests {
    private func withNetwork(
        configuration: [String: JSONValue] = [:], seccomp: String = "network",
        _ body: (TestNode, NetworkCalls) async throws -> Void
    ) async throws {
        let node = try TestNode {
            $0.configurations = ["test": .object(configuration)]
            $0.limits.grace = .seconds(10)
        }
        try await node.install(manifest: ["library": "libCarpelTestPlugin.so", "seccomp": seccomp])
        try FileManager.default.copyItem(
            atPath: "\(repository)/.build/debug/libCarpelTestPlugin.so",
            toPath: "\(node.folder.path)/plugins/test/libCarpelTestPlugin.so")
        try await node.withPlugins { try await body(node, try await $0.network("test")) }
    }

    @Test func theVerbsOfAPodsLife() async throws {
        try await withNetwork { _, network in
            let request = NetworkAddRequest(pod: PodIdentity(id: "p"), addresses: ["10.0.0.5"])
            try await network.status()
            let attachment = try await network.add(request)
            #expect(attachment.addresses.map(\.address) == ["10.0.0.5/24"])
            #expect(try await network.add(request) == attachment)
            let check = NetworkCheckRequest(
                podID: "p", network: request.network, interfaceName: request.interfaceName, attachment: attachment)
            try await network.check(check)
            try await network.delete(NetworkDeleteRequest(podID: "p"))
            let error = await #expect(throws: CarpelError.self) { try await network.check(check) }
            #expect(error == CarpelError(.notFound, "attachmentMissing", "plugin test: p is not on the network"))
            _ = try await network.add(request)
            #expect(try await network.collectGarbage(.init(valid: [])).removed.map(\.podID) == ["p"])
        }
    }

    @Test func itsConfigurationIsTypedAndItsLogIsTheDaemons() async throws {
        try await withNetwork(configuration: ["greeting": .string("good day")]) { node, _ in
            try await eventually("the line is in the log") {
                node.log.entries.contains { $0.message == "test says good day" && $0.metadata["plugin"] == "test" }
            }
        }
    }

    /// Swift's threads, timers and locks are within what the strictest profile allows.
    @Test(arguments: ["network", "storage", "strict"])
    func aTaskOfAPluginIsCancelledWithItsCallerAndAtItsDeadline(_ seccomp: String) async throws {
        try await withNetwork(seccomp: seccomp) { node, network in
            let request = NetworkAddRequest(pod: PodIdentity(id: "p"), network: "forever")
            let late = await #expect(throws: CarpelError.self) {
                try await network.add(request, timeout: .milliseconds(50))
            }
            #expect(late?.code == .deadlineExceeded, "\(String(describing: late))")
            let other = NetworkAddRequest(pod: PodIdentity(id: "q"), network: "forever")
            let call = Task { try await network.add(other) }
            try await eventually("the plugin is at it") { node.log.text.contains("q waits for ever") }
            call.cancel()
            let cancelled = await #expect(throws: CarpelError.self) { try await call.value }
            #expect(cancelled?.code == .cancelled)
            try await eventually("the plugin has ended both calls") {
                ["p", "q"].allSatisfy { node.log.text.contains("\($0) waits no longer") }
            }
            try await network.status()
        }
    }
}
