import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct MasqueradeTests {
    @Test(arguments: [("198.51.100.2", "198.51.100.1"), ("2001:db8::2", "2001:db8::1")])
    func thePodHasTheHostsAddressOutside(server: String, host address: String) async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let guest = try await host.guest(.pod("client"))

        for transport in [TestSocket.Transport.tcp, .udp] {
            #expect(try await talk(transport, from: guest.namespace, server: outside, at: server, 80) == address)
        }
    }

    @Test func aNetworkWithoutItKeepsThePodsAddress() async throws {
        let host = try await TestHost(oneNetwork("10.90.0.0/24", also: #""masquerade": false"#))
        let outside = try await host.outsideWorld()
        try await outside.shell("ip route add 10.90.0.0/24 via 198.51.100.1")
        let guest = try await host.guest(.pod("client"))

        let seen = try await talk(.tcp, from: guest.namespace, server: outside, at: "198.51.100.2", 80)
        #expect(try seen == guest.ipv4)
    }

    @Test func podsOfTwoNetworksSeeEachOthersAddresses() async throws {
        let host = try await TestHost(
            """
            {"networks": {"default": {"subnets": [{"subnet": "10.90.0.0/24"}]},
                          "blue": {"bridge": "blue0", "subnets": [{"subnet": "10.91.0.0/24"}]}}}
            """)
        let one = try await host.guest(.pod("one"))
        let other = try await host.guest(.pod("other", network: "blue"))

        let seen = try await talk(.tcp, from: one.namespace, server: other.namespace, at: other.ipv4, 80)
        #expect(try seen == one.ipv4)
    }
}
