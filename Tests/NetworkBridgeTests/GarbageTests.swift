import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkBridge

@Suite struct GarbageTests {
    @Test func whatIsNotListedIsTakenOffAndTheRestStays() async throws {
        let host = try await TestHost()
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)
        let kept = NetworkAddRequest.pod("kept", ports: [mapping])
        let guest = try await host.guest(kept)
        let alone = try await host.state()
        let limits = Bandwidth(ingressBitsPerSecond: 1_000_000, egressBitsPerSecond: 1_000_000)
        for number in 0..<3 {
            let port = PortMapping(transport: .udp, hostPort: UInt16(9000 + number), containerPort: 53)
            _ = try await host.plugin.add(.pod("lost\(number)", ports: [port], bandwidth: limits))
        }

        let answer = try await host.plugin.collectGarbage(NetworkCollectRequest(valid: [kept.deletion]))
        #expect(Set(answer.removed) == Set((0..<3).map { NetworkDeleteRequest(podID: "lost\($0)") }))
        #expect(try await host.state() == alone)
        try await talk(
            .tcp, from: host.namespace, to: ("127.0.0.1", 8080), server: guest.namespace, at: guest.ipv4, 80)
        let again = try await host.plugin.collectGarbage(NetworkCollectRequest(valid: [kept.deletion]))
        #expect(again.removed.isEmpty)
    }

    /// As after somebody has lost the records, or restored old ones.
    @Test func devicesAndRulesWithoutARecordAreOursByTheirMarks() async throws {
        let host = try await TestHost()
        try await host.plugin.status()
        let before = try await host.state()
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)
        let bandwidth = Bandwidth(egressBitsPerSecond: 1_000_000)
        let request = NetworkAddRequest.pod("lost", ports: [mapping], bandwidth: bandwidth)
        _ = try await host.plugin.add(request)
        try host.plugin.ledger.release(AttachmentKey(request))

        let answer = try await host.plugin.collectGarbage(NetworkCollectRequest(valid: []))
        #expect(answer.removed == [request.deletion])
        #expect(try await host.state() == before)
    }

    @Test func whatIsSomebodyElsesStays() async throws {
        let host = try await TestHost()
        try await host.plugin.status()
        try await host.shell(
            """
            ip link add docker0 type bridge
            ip tuntap add dev cpl000000000001 mode tap
            ip link set cpl000000000001 master carpel0
            ip tuntap add dev tap7 mode tap
            ip link set tap7 alias carpel:00000000:web:default:eth0
            ip link add veth0 type veth peer name veth1
            nft add table inet carpel
            nft add table inet carpel-00000000
            nft add table ip filter
            nft add chain ip filter forward "{ type filter hook forward priority 0; policy drop; }"
            """)
        let before = try await host.state()
        let answer = try await host.plugin.collectGarbage(NetworkCollectRequest(valid: []))
        #expect(answer.removed.isEmpty)
        let after = try await host.state()
        #expect(after == before)
    }

    @Test func theBridgeOfANetworkThatIsNoLongerConfiguredGoes() async throws {
        let two = """
            {"networks": {"default": {"subnets": [{"subnet": "10.90.0.0/24"}]},
                          "blue": {"bridge": "blue0", "subnets": [{"subnet": "10.91.0.0/24"}]}}}
            """
        let host = try await TestHost(two)
        try await host.plugin.status()
        #expect(try await host.shell("ip -oneline link show type bridge").contains("blue0"))
        let plugin = try host.restarted(oneNetwork("10.90.0.0/24"))
        _ = try await plugin.collectGarbage(NetworkCollectRequest(valid: []))
        let bridges = try await host.shell("ip -oneline link show type bridge")
        #expect(bridges.contains("carpel0") && !bridges.contains("blue0"))
    }

    @Test func twoDaemonsOnOneHostLeaveEachOtherAlone() async throws {
        let host = try await TestHost()
        let guest = try await host.guest(.pod("web"))
        let other = try TemporaryFolder()
        let environment = { (configuration: String) in
            PluginEnvironment(
                name: "network-bridge", stateFolder: other.path, configuration: Array(configuration.utf8),
                machineGroup: 1)
        }
        let rival = try BridgePlugin(environment: environment("{}"), namespace: host.namespace)
        let error = await #expect(throws: PluginError.self) { try await rival.status() }
        #expect(error?.reason == "bridgeTaken")
        let overlapping = oneNetwork("10.88.128.0/24", also: #""bridge": "rival0""#)
        let hopeful = try BridgePlugin(environment: environment(overlapping), namespace: host.namespace)
        await #expect(throws: PluginError.self) { try await hopeful.status() }
        let apart = oneNetwork("10.99.0.0/24", also: #""bridge": "rival0""#)
        let neighbor = try BridgePlugin(environment: environment(apart), namespace: host.namespace)
        _ = try await neighbor.add(.pod("web"))
        _ = try await neighbor.collectGarbage(NetworkCollectRequest(valid: []))
        try await talk(.tcp, from: host.namespace, server: guest.namespace, at: guest.ipv4, 80)
        _ = try await host.plugin.collectGarbage(
            NetworkCollectRequest(valid: [NetworkAddRequest.pod("web").deletion]))
        #expect(try await host.shell("ip -oneline link show type bridge").contains("rival0"))
    }

    @Test func whatADeadDaemonHasLeftIsTakenOver() async throws {
        let host = try await TestHost()
        let dead = try TemporaryFolder()
        let environment = PluginEnvironment(name: "network-bridge", stateFolder: dead.path, machineGroup: 1)
        let plugin = try BridgePlugin(environment: environment, namespace: host.namespace)
        let left = try await plugin.add(.pod("web"))
        await #expect(throws: PluginError.self) { try await host.plugin.status() }

        dead.remove()
        try await host.plugin.status()
        let state = try await host.state()
        #expect(!state.contains(left.device))
        #expect(!state.contains(Ownership(stateFolder: dead.path).table))
        #expect(state.contains("carpel0"))
    }
}
