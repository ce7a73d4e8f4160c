import CarpelPlugins
import Foundation
import TestSupport
import Testing

/// What `carpel plugin new` makes, built by itself outside of the repository.
struct TemplateTests {
    @Test(arguments: ["network", "storage"], ["c", "swift"])
    func aNewPluginPassesEveryCheck(kind: String, language: String) async throws {
        let folder = try await TemplatePlugin.folder(kind: kind, language: language)
        let (output, status) = try await checkPlugin(folder)
        let results = try JSONDecoder().decode([CheckResult].self, from: output)
        #expect(results.count > 30)
        for result in results { #expect(result.outcome == .passed, "\(result.name): \(result.detail)") }
        #expect(status == 0)
    }

    @Test func theNodesNetworkStaysAsItIsDuringTheChecks() async throws {
        let before = try await shell("ls /sys/class/net")
        let folder = try await TemplatePlugin.folder(kind: "network", language: "c")
        _ = try await checkPlugin(folder, ["add-distinct", "nothing-left"])
        #expect(try await shell("ls /sys/class/net") == before)
    }
}
