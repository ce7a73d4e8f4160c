import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct ConfigurationTests {
    @Test func withoutConfigurationThereIsANetworkOfBothFamilies() throws {
        let network = try configuration("{}").network("default")
        #expect(network.bridge == "carpel0")
        #expect(network.pools.map { "\($0.subnet) \($0.gateway)" } == ["10.88.0.0/16 10.88.0.1", "fd88::/64 fd88::1"])
        #expect(network.masquerades && !network.isIsolated && network.mtu == 1500 && network.dns == nil)
    }

    @Test func everyMemberIsHeard() throws {
        let network = try configuration(
            """
            {"networks": {"blue": {
                "bridge": "blue0", "subnets": [{"subnet": "10.9.0.0/24", "gateway": "10.9.0.254"}],
                "masquerade": false, "isolate": true, "mtu": 9000,
                "dns": {"servers": ["10.9.0.53"], "searches": ["example.com"], "options": ["ndots:2"]}}}}
            """
        ).network("blue")
        #expect(network.bridge == "blue0")
        #expect(network.gateways == ["10.9.0.254/24"])
        #expect(!network.masquerades && network.isIsolated && network.mtu == 9000)
        #expect(network.dns == DNS(servers: ["10.9.0.53"], searches: ["example.com"], options: ["ndots:2"]))
    }

    @Test(arguments: [
        (#"{"default": {"subnets": []}}"#, "networks.default.subnets"),
        (#"{"default": {"subnets": [{"subnet": "10.0.0.0"}]}}"#, "networks.default.subnets[0].subnet"),
        (#"{"default": {"subnets": [{"subnet": "10.0.0.0/31"}]}}"#, "networks.default.subnets[0].subnet"),
        (
            #"{"default": {"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.1.1"}]}}"#,
            "networks.default.subnets[0].gateway"
        ),
        (
            #"{"default": {"subnets": [{"subnet": "10.0.0.0/24", "range": "10.0.0.9-10.0.0.8"}]}}"#,
            "networks.default.subnets[0].range"
        ),
        (
            #"{"default": {"subnets": [{"subnet": "10.0.0.0/24", "exclude": ["10.0.1.0/24"]}]}}"#,
            "networks.default.subnets[0].exclude[0]"
        ),
        (
            #"{"default": {"subnets": [{"subnet": "10.0.0.0/24", "exclude": ["10.0.0.0/24"]}]}}"#,
            "networks.default.subnets[0]"
        ),
        (#"{"blue": {"subnets": [{"subnet": "10.0.0.0/24"}]}}"#, "networks.blue.bridge"),
        (#"{"default": {"bridge": "a b", "subnets": [{"subnet": "10.0.0.0/24"}]}}"#, "networks.default.bridge"),
        (#"{"default": {"subnets": [{"subnet": "fd00::/64"}], "mtu": 1279}}"#, "networks.default.mtu"),
        (
            #"{"default": {"subnets": [{"subnet": "10.0.0.0/24"}], "dns": {"servers": ["ns"]}}}"#,
            "networks.default.dns.servers[0]"
        ),
        (
            """
            {"a": {"bridge": "x", "subnets": [{"subnet": "10.0.0.0/24"}]},
             "b": {"bridge": "x", "subnets": [{"subnet": "10.1.0.0/24"}]}}
            """,
            "networks.a.bridge"
        ),
        (
            """
            {"a": {"bridge": "x", "subnets": [{"subnet": "10.0.0.0/24"}]},
             "b": {"bridge": "y", "subnets": [{"subnet": "10.0.0.0/8"}]}}
            """,
            "networks.a.subnets"
        ),
        (#"{"default": {"subnets": 5}}"#, "networks.default.subnets"),
    ])
    func anErrorNamesTheMember(networks: String, path: String) throws {
        let error = #expect(throws: PluginError.self) { try configuration(#"{"networks": \#(networks)}"#) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.reason == "configurationInvalid")
        #expect(error?.message.hasPrefix("\(path): ") == true, "\(error?.message ?? "")")
    }

    @Test func aNetworkThatPodsAreOnKeepsItsBridgeAndSubnets() async throws {
        let host = try await TestHost()
        let request = NetworkAddRequest.pod("web")
        _ = try await host.plugin.add(request)

        for changed in [
            oneNetwork("10.88.0.0/16", "fd88::/64", also: #""bridge": "other0""#), oneNetwork("10.88.0.0/16"),
            #"{"networks": {"blue": {"bridge": "blue0", "subnets": [{"subnet": "10.90.0.0/16"}]}}}"#,
        ] {
            let error = #expect(throws: PluginError.self) { try host.restarted(changed) }
            #expect(error?.reason == "networkInUse")
        }
        let plugin = try host.restarted(
            oneNetwork(#"{"subnet": "10.88.0.0/16", "exclude": ["10.88.0.0/24"]}"#, "fd88::/64"))
        #expect(try await plugin.add(.pod("next")).ipv4 == "10.88.1.0")
    }

    private func configuration(_ json: String) throws -> BridgeConfiguration {
        try BridgeConfiguration(json: Array(json.utf8))
    }
}
