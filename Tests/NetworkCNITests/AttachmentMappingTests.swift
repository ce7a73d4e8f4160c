import CarpelNetlink
import CarpelPluginSDK
import Foundation
import Testing

@testable import NetworkCNI

/// CNI's result and the kernel's state, put together.
@Suite struct AttachmentMappingTests {
    private func attachment(
        _ result: String, addresses: [LinkAddress] = [], routes: [LinkRoute] = []
    ) throws -> NetworkAttachment {
        let interface = PodInterface(
            index: 2, name: "eth0", macAddress: "02:00:00:00:00:01", mtu: 1450, addresses: addresses, routes: routes)
        return NetworkAttachment(
            device: "ct0", interface: interface,
            result: try JSONDecoder().decode(CNIResult.self, from: Data(result.utf8)))
    }

    @Test func whatTheChainClaimsCountsWhereTheInterfaceIsBare() throws {
        let found = try attachment(
            #"""
            {"interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/run/netns/x"}],
             "ips": [{"address": "10.1.0.5/24", "gateway": "10.1.0.1", "interface": 1},
                     {"address": "fd00::5/64", "gateway": "fd00::1"},
                     {"address": "10.1.0.1/24", "interface": 0}],
             "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.9.0.0/16", "gw": "10.1.0.9"}, {"dst": "::/0"}],
             "dns": {"nameservers": ["10.1.0.53"], "domain": "pods.example", "options": ["ndots:2"]}}
            """#)
        #expect(
            found
                == NetworkAttachment(
                    device: "ct0", macAddress: "02:00:00:00:00:01", mtu: 1450,
                    addresses: [
                        IPConfiguration(address: "10.1.0.5/24", gateway: "10.1.0.1"),
                        IPConfiguration(address: "fd00::5/64", gateway: "fd00::1"),
                    ],
                    routes: [
                        Route(destination: "0.0.0.0/0", gateway: "10.1.0.1"),
                        Route(destination: "10.9.0.0/16", gateway: "10.1.0.9"),
                        Route(destination: "::/0", gateway: "fd00::1"),
                    ], dns: DNS(servers: ["10.1.0.53"], searches: ["pods.example"], options: ["ndots:2"])))
    }

    /// Calico: the result has an address and nothing else, the routes lead over a neighbour that is not on the subnet.
    @Test func routesThatTheResultDoesNotListAreTakenFromTheKernel() throws {
        let found = try attachment(
            #"{"ips": [{"version": "4", "address": "192.168.7.9/32"}]}"#,
            addresses: [
                LinkAddress(address: "192.168.7.9", prefixLength: 32, isPermanent: true, isGlobal: true),
                LinkAddress(address: "fe80::1", prefixLength: 64, isPermanent: true, isGlobal: false),
                LinkAddress(address: "2001:db8::7", prefixLength: 64, isPermanent: false, isGlobal: true),
            ],
            routes: [
                LinkRoute(destination: "0.0.0.0/0", gateway: "169.254.1.1", isKernels: false),
                LinkRoute(destination: "169.254.1.1/32", gateway: nil, isKernels: false),
                LinkRoute(destination: "fe80::/64", gateway: nil, isKernels: true),
            ])
        #expect(found.addresses == [IPConfiguration(address: "192.168.7.9/32")])
        // What is on the link comes first: the other one needs it.
        #expect(
            found.routes == [
                Route(destination: "169.254.1.1/32"), Route(destination: "0.0.0.0/0", gateway: "169.254.1.1"),
            ])
    }

    @Test func aPrefixThatTheKernelHasNoRouteToIsNotTheGuestsEither() throws {
        let found = try attachment(
            #"{"ips": [{"address": "10.1.2.5/24", "gateway": "10.1.2.1"}, {"address": "fd00:0::5/64"}]}"#,
            addresses: [
                LinkAddress(address: "10.1.2.5", prefixLength: 24, isPermanent: true, isGlobal: true),
                LinkAddress(address: "fd00::5", prefixLength: 64, isPermanent: true, isGlobal: true),
            ], routes: [LinkRoute(destination: "fd00::/64", gateway: nil, isKernels: true)])
        #expect(
            found.addresses == [
                IPConfiguration(address: "10.1.2.5/32", gateway: "10.1.2.1"), IPConfiguration(address: "fd00:0::5/64"),
            ])
    }

    @Test func anAddressThatOnlyTheKernelKnowsIsTheGuestsToo() throws {
        let found = try attachment(
            #"{"ips": []}"#,
            addresses: [LinkAddress(address: "10.1.2.5", prefixLength: 24, isPermanent: true, isGlobal: true)],
            routes: [LinkRoute(destination: "10.1.2.0/24", gateway: nil, isKernels: true)])
        #expect(found.addresses == [IPConfiguration(address: "10.1.2.5/24")])
        #expect(found.routes == [])
    }

    @Test(arguments: [
        ("10.1.2.5/24", "10.1.2.0"), ("10.1.2.5/0", "0.0.0.0"), ("10.1.2.5/32", "10.1.2.5"),
        ("10.1.255.5/17", "10.1.128.0"),
        ("fd00:1::ffff/64", "fd00:1::"), ("fd00:1:2:3f::/59", "fd00:1:2:20::"),
    ])
    func aPrefixHasANetwork(_ text: String, _ network: String) throws {
        #expect(try #require(Prefix(text)).network.text == network)
    }

    @Test(arguments: ["10.1.2.5", "10.1.2/24", "10.1.2.5/33", "fd00::/129", "x/1", "10.1.2.5/", "10.1.2.5/-1"])
    func whatIsNoPrefixIsNone(_ text: String) { #expect(Prefix(text) == nil) }
}
