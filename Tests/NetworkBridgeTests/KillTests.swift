import CarpelNetlink
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkBridge

/// The plugin's process is killed in the middle of its work, again and again.
@Suite struct KillTests {
    @Test func aKillAtAnyMomentHandsNoAddressOutTwice() async throws {
        let host = try await TestHost(oneNetwork("10.90.0.0/26", "fd90::/64"))
        let folder = host.folder.path
        for round in 0..<24 {
            // From the first step of the first ADD to some steps of the tenth.
            let microseconds = UInt32(round * round * 120)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [folder = folder as String, round = round as Int, microseconds = microseconds as UInt32] in
                try await workUntilKilled(in: folder, round: round, after: microseconds)
            }
            try await expectOrder(in: host)
        }
        _ = try await host.restarted().collectGarbage(NetworkCollectRequest(valid: []))
        let devices = try await host.shell("ip -oneline link show")
        #expect(!devices.contains("cpl") && !devices.contains("cpi"))
        #expect(try await host.shell("nft list ruleset").contains("cpl") == false)
    }

    /// What was answered before the kill still holds, what was not can be asked for again, and nobody shares anything.
    private func expectOrder(in host: TestHost) async throws {
        let plugin = try host.restarted()
        let records = try plugin.ledger.attachments()
        var answers: [String: NetworkAttachment] = [:]
        for record in records { answers[record.pod] = try await plugin.add(record.request) }
        for line in try answered(in: host.folder.path) {
            #expect(answers[line.pod] == nil || answers[line.pod] == line.answer)
        }
        let extra = try await plugin.add(.pod("extra"))
        let all = Array(answers.values) + [extra]
        #expect(Set(all.flatMap { $0.addresses.map(\.address) }).count == 2 * all.count)
        #expect(Set(all.map(\.device)).count == all.count)
        let taps = try await host.shell("ip -oneline link show type tun | sed -E 's/^[0-9]+: ([^:]+):.*/\\1/'")
        let known = Set(all.map(\.device))
        #expect(Set(taps.split(separator: "\n").map(String.init)).isSubset(of: known), "a tap without a record")
        for pod in answers.keys.sorted().prefix(answers.count / 2) + ["extra"] {
            try await plugin.delete(NetworkDeleteRequest(podID: pod))
        }
    }

    private func answered(in folder: String) throws -> [Answered] {
        let text = (try? String(contentsOfFile: "\(folder)/answers", encoding: .utf8)) ?? ""
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Answered.self, from: Data($0.utf8)) }
    }
}

private struct Answered: Codable {
    let pod: String
    let answer: NetworkAttachment
}

/// Puts pods on the network and takes every other one off, and writes down what it was answered.
private func workUntilKilled(in folder: String, round: Int, after microseconds: UInt32) async throws {
    let environment = PluginEnvironment(
        name: "network-bridge", stateFolder: folder,
        configuration: Array(oneNetwork("10.90.0.0/26", "fd90::/64").utf8), machineGroup: 4711)
    let plugin = try BridgePlugin(environment: environment, namespace: NetworkNamespace(path: "\(folder)/host"))
    let diary = open("\(folder)/answers", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    Thread {
        usleep(microseconds)
        kill(getpid(), SIGKILL)
    }.start()
    for number in 0... {
        let limits = number % 3 == 0 ? Bandwidth(ingressBitsPerSecond: 1_000_000, egressBitsPerSecond: 1_000_000) : nil
        let request = NetworkAddRequest.pod("r\(round)n\(number)", bandwidth: limits)
        let answer = try await plugin.add(request)
        let line = try JSONEncoder().encode(Answered(pod: request.pod.id, answer: answer)) + Data("\n".utf8)
        _ = line.withUnsafeBytes { write(diary, $0.baseAddress, $0.count) }
        if number % 2 == 1 { try await plugin.delete(request.deletion) }
    }
}
