import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct IsolationTests {
    private static let networks = """
        {"networks": {"default": {"subnets": [{"subnet": "10.90.0.0/24"}, {"subnet": "fd90::/64"}], "isolate": true},
                      "open": {"bridge": "open0", "subnets": [{"subnet": "10.91.0.0/24"}, {"subnet": "fd91::/64"}]}}}
        """

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6], bridgeNetfilterStates)
    func isolatedPodsReachTheHostAndTheWorld(family: IPAddress.Family, bridgeNetfilter: Bool) async throws {
        let host = try await TestHost(Self.networks)
        try await host.setBridgeNetfilter(bridgeNetfilter)
        let outside = try await host.outsideWorld()
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)
        let guest = try await host.guest(.pod("web", ports: [mapping]))
        let (pod, gateway, world) =
            family == .ipv4
            ? (try guest.ipv4, "10.90.0.1", "198.51.100.2") : (try guest.ipv6, "fd90::1", "2001:db8::2")

        try await talk(.tcp, from: guest.namespace, server: host.namespace, at: gateway, 80)
        try await talk(.tcp, from: guest.namespace, server: outside, at: world, 80)
        let uplink = family == .ipv4 ? "198.51.100.1" : "2001:db8::1"
        try await talk(.tcp, from: outside, to: (uplink, 8080), server: guest.namespace, at: pod, 80)
    }

    /// Frames to the pod itself, to everyone, and to the host as a router: only what follows them arrives.
    @Test(arguments: bridgeNetfilterStates)
    func isolatedPodsReachNoOtherPod(bridgeNetfilter: Bool) async throws {
        let host = try await TestHost(Self.networks)
        try await host.setBridgeNetfilter(bridgeNetfilter)
        let mapping = PortMapping(transport: .udp, hostPort: 8080, containerPort: 7)
        let one = try await host.plugin.add(.pod("one"))
        let two = try await host.plugin.add(.pod("two", ports: [mapping]))
        let far = try await host.plugin.add(.pod("far", network: "open"))
        let wires = [
            try await Wire(one.device, in: host), try await Wire(two.device, in: host),
            try await Wire(far.device, in: host),
        ]
        // The host knows where they are: nothing waits for an answer to a question about it.
        for (pod, bridge) in [(one, "carpel0"), (two, "carpel0"), (far, "open0")] {
            for address in [try pod.ipv4, try pod.ipv6] {
                try await host.shell("ip neighbor add \(address) lladdr \(pod.macAddress) nud permanent dev \(bridge)")
            }
        }
        let router = try #require(
            MACAddress(try await host.shell("ip -brief link show dev carpel0 | awk '{ printf $3 }'")))
        let openRouter = try #require(
            MACAddress(try await host.shell("ip -brief link show dev open0 | awk '{ printf $3 }'")))

        for (source, target, gateway, wire) in [
            (one, two, router, wires[0]), (one, far, router, wires[0]), (far, two, openRouter, wires[2]),
        ] {
            for family in [IPAddress.Family.ipv4, .ipv6] {
                let mac = try #require(MACAddress(source.macAddress))
                let from = try #require(IPAddress(source.address(family)))
                let to = try #require(IPAddress(target.address(family)))
                let next = try #require(MACAddress(target.macAddress))
                for receiver in [next.bytes, Frame.everyone, gateway.bytes] {
                    let frame = Frame.udp(from: mac, from, to: to, word: "isolated")
                    try wire.send(receiver + frame.dropFirst(6))
                }
            }
        }
        let published = Frame.udp(
            from: try #require(MACAddress(one.macAddress)), try #require(IPAddress(one.ipv4)),
            to: try #require(IPAddress("10.90.0.1")), port: 8080, word: "isolated")
        try wires[0].send(router.bytes + published.dropFirst(6))
        for (pod, wire) in [(two, wires[1]), (far, wires[2])] {
            let socket = try await TestSocket.connected(in: host.namespace, .udp, pod.ipv4, 7)
            try socket.send("the end")
            let arrived = try wire.frames(until: "the end")
            #expect(!arrived.contains { contains($0, "isolated") })
        }
    }

    /// The same frames without isolation, so that the test above is known to send what would arrive.
    @Test func withoutIsolationTheyWouldArrive() async throws {
        let host = try await TestHost()
        let one = try await host.plugin.add(.pod("one"))
        let two = try await host.plugin.add(.pod("two"))
        let sender = try await Wire(one.device, in: host)
        let receiver = try await Wire(two.device, in: host)
        try await host.shell("ip neighbor add \(two.ipv4) lladdr \(two.macAddress) nud permanent dev carpel0")
        let router = try #require(
            MACAddress(try await host.shell("ip -brief link show dev carpel0 | awk '{ printf $3 }'")))
        let frame = Frame.udp(
            from: try #require(MACAddress(one.macAddress)), try #require(IPAddress(one.ipv4)),
            to: try #require(IPAddress(two.ipv4)), word: "routed")
        try sender.send(router.bytes + frame.dropFirst(6))
        #expect(try receiver.frames(until: "routed").last.map { contains($0, "routed") } == true)
    }
}
