import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct StatusTests {
    @Test func statusMakesTheHostFitForPods() async throws {
        let host = try await TestHost()
        try await host.plugin.status()
        let bridge = try await host.shell("ip address show dev carpel0")
        for address in ["10.88.0.1/16", "fd88::1/64"] { #expect(bridge.contains(address), "\(bridge)") }
        let settings = try await host.shell(
            "cd /proc/sys/net; cat ipv4/ip_forward ipv6/conf/all/forwarding ipv6/conf/carpel0/accept_ra")
        #expect(settings == "1\n1\n0\n")
        let bridgeIndex = try await host.shell("cat /proc/sys/net/ipv6/conf/carpel0/accept_dad")
        #expect(bridgeIndex == "0\n")
    }

    @Test func statusMakesTheRulesAnewAfterAFirewallHasThrownThemAway() async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)
        let guest = try await host.guest(.pod("web", ports: [mapping]))
        try await host.shell("nft flush ruleset")
        try await host.plugin.status()
        try await talk(
            .tcp, from: outside, to: ("198.51.100.1", 8080), server: guest.namespace, at: guest.ipv4, 80)
    }

    @Test func statusPutsPodsBackOnABridgeThatSomebodyHasDeleted() async throws {
        let host = try await TestHost()
        let one = try await host.guest(.pod("one"))
        let other = try await host.guest(.pod("other"))
        try await host.shell("ip link delete carpel0")
        try await host.plugin.status()
        try await talk(.tcp, from: one.namespace, server: other.namespace, at: other.ipv4, 80)
        try await talk(.tcp, from: one.namespace, server: host.namespace, at: "fd88::1", 80)
    }

    /// Becoming a router must not cost the host the addresses that it has from one.
    @Test func theHostStillListensToItsOwnRouter() async throws {
        let host = try await TestHost()
        _ = try await host.outsideWorld()
        try await host.shell("ip link add other0 type veth; echo 0 > /proc/sys/net/ipv6/conf/other0/accept_ra")
        try await host.plugin.status()
        let settings = try await host.shell(
            "cd /proc/sys/net/ipv6/conf; cat uplink/accept_ra other0/accept_ra all/forwarding")
        #expect(settings == "2\n0\n1\n")
    }

    @Test func aNetworkOfIPv4AloneHasNoIPv6() async throws {
        let host = try await TestHost(oneNetwork("10.90.0.0/24"))
        let answer = try await host.plugin.add(.pod("web"))
        #expect(answer.addresses.map(\.address) == ["10.90.0.2/24"])
        #expect(answer.routes.map(\.destination) == ["0.0.0.0/0"])
        #expect(try await host.shell("cat /proc/sys/net/ipv6/conf/carpel0/disable_ipv6") == "1\n")
        #expect(try await host.shell("ip -6 address show dev carpel0").isEmpty)
    }

    @Test func aBridgeOfSomebodyElsesIsNotUsed() async throws {
        let host = try await TestHost()
        try await host.shell("ip link add carpel0 type bridge")
        let error = await #expect(throws: PluginError.self) { try await host.plugin.status() }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.reason == "bridgeTaken")
    }

    @Test func aSubnetThatTheHostHasIsNotUsed() async throws {
        let host = try await TestHost()
        try await host.shell("ip link add lan0 type veth; ip address add 10.88.7.1/24 dev lan0")
        let error = await #expect(throws: PluginError.self) { try await host.plugin.add(.pod("web")) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.reason == "subnetTaken")
        #expect(try host.plugin.ledger.attachments().isEmpty)
    }

    @Test func anUnknownNetworkIsNotFound() async throws {
        let host = try await TestHost()
        let error = await #expect(throws: PluginError.self) { try await host.plugin.add(.pod("web", network: "blue")) }
        #expect(error?.code == .notFound)
        #expect(error?.reason == "networkUnknown")
    }
}
