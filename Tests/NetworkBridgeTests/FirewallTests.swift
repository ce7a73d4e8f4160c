import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct FirewallTests {
    /// The rules are the README's.
    @Test(arguments: [IPAddress.Family.ipv4, .ipv6], bridgeNetfilterStates)
    func aFirewallThatDropsWhatIsForwardedNeedsThreeRules(
        family: IPAddress.Family, bridgeNetfilter: Bool
    ) async throws {
        let host = try await TestHost()
        try await host.setBridgeNetfilter(bridgeNetfilter)
        let outside = try await host.outsideWorld()
        try await host.shell(
            """
            nft add table inet filter
            nft add chain inet filter forward "{ type filter hook forward priority filter; policy drop; }"
            nft insert rule inet filter forward iifname carpel0 accept
            nft insert rule inet filter forward oifname carpel0 ct state established,related accept
            nft insert rule inet filter forward oifname carpel0 ct status dnat accept
            """)
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)
        let web = try await host.guest(.pod("web", ports: [mapping]))
        let other = try await host.guest(.pod("other"))
        let pod = try web.attachment.address(family)
        let (uplink, world) =
            family == .ipv4 ? ("198.51.100.1", "198.51.100.2") : ("2001:db8::1", "2001:db8::2")

        try await talk(.tcp, from: web.namespace, server: outside, at: world, 80)
        try await talk(.tcp, from: outside, to: (uplink, 8080), server: web.namespace, at: pod, 80)
        try await talk(.tcp, from: other.namespace, server: web.namespace, at: pod, 80)
        try await talk(.tcp, from: other.namespace, to: (uplink, 8080), server: web.namespace, at: pod, 80)
    }
}
