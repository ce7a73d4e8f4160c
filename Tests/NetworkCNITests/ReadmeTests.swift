import CarpelCore
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkCNI

/// What the README shows works as it is printed there.
@Suite(.serialized) struct ReadmeTests {
    @Test func theExampleNetworkWorks() async throws {
        let node = try await Node(["10-pods.conflist": try example("json")])
        // The folders of the example are the machine's own.
        try await node.run("mkdir -p /var/lib/cni && mount -t tmpfs -o mode=755 none /var/lib/cni")
        let plugin = try await node.start()
        try await plugin.status()
        let ports = [PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)]
        let limit = Bandwidth(ingressBitsPerSecond: 1_000_000_000, egressBitsPerSecond: 1_000_000_000)
        let attachment = try await plugin.add(.pod("pod", ports: ports, bandwidth: limit))
        let guest = try await Guest(attachment, on: node)
        for address in ["10.22.0.1", "fd00:22::1"] { try await guest.run("ping -c 1 -W 5 \(address)") }
        try await plugin.check(.of(attachment, "pod"))
        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node)
    }

    @Test func theConfigurationThatIsShownIsTheDefaultOne() throws {
        let shown = try example("yaml", number: 1)
        let defaults = try Configuration(text: Array("{}".utf8))
        #expect(shown.contains("configurationFolder: \(defaults.configurationFolder) "))
        #expect(shown.contains("binaryFolders: [\(defaults.binaryFolders.joined(separator: ", "))] "))
        #expect(shown.contains("pluginTimeoutSeconds: \(defaults.pluginTimeoutSeconds) "))
    }

    @Test func everyReasonThatIsListedIsOne() throws {
        let text = try readme()
        let sources = try FileManager.default.subpathsOfDirectory(atPath: "\(repository)/plugins/network-cni/Sources")
            .filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOfFile: "\(repository)/plugins/network-cni/Sources/\($0)", encoding: .utf8) }
            .joined()
        let section = try #require(
            text.components(separatedBy: "## Errors").last?.components(separatedBy: "\n## ").first)
        let reasons = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .flatMap { $0.split(separator: "|")[0].matches(of: /`(\w+)`/).map { String($0.output.1) } }
        #expect(reasons.count > 10)
        for reason in reasons { #expect(sources.contains("\"\(reason)\""), "\(reason)") }
    }

    private func readme() throws -> String {
        try String(contentsOfFile: "\(repository)/plugins/network-cni/README.md", encoding: .utf8)
    }

    /// - Parameter number: of the blocks in that language.
    private func example(_ language: String, number: Int = 0) throws -> String {
        let blocks = try readme().components(separatedBy: "```\(language)\n").dropFirst()
            .map { $0.components(separatedBy: "```")[0] }
        return try #require(blocks.indices.contains(number) ? blocks[number] : nil)
    }
}
