import CarpelPluginSDK
import Testing

@testable import NetworkBridge

/// A malicious guest on the tap of one pod, and what arrives at another's.
@Suite struct AntiSpoofingTests {
    private struct Scene {
        let host: TestHost
        let liar: Wire
        let witness: Wire
        let mac: MACAddress
        let ipv4: IPAddress
        let ipv6: IPAddress
        /// Somebody else's.
        let victim: (mac: MACAddress, ipv4: IPAddress, ipv6: IPAddress)
        let router: (ipv4: IPAddress, ipv6: IPAddress)
    }

    @Test(arguments: bridgeNetfilterStates)
    func aGuestSpeaksOnlyForItself(bridgeNetfilter: Bool) async throws {
        let scene = try await scene()
        try await scene.host.setBridgeNetfilter(bridgeNetfilter)
        let lies = lies(scene)
        for lie in lies { try scene.liar.send(lie.frame) }
        try scene.liar.send(.arp(from: scene.mac, owner: scene.mac, scene.ipv4, word: "the end"))

        let arrived = try scene.witness.frames(until: "the end")
        for lie in lies { #expect(!arrived.contains { $0.starts(with: lie.frame) }, "\(lie.what)") }
        #expect(!arrived.contains { contains($0, "spoofed") })
    }

    @Test(arguments: bridgeNetfilterStates)
    func whatAGuestMaySayArrives(bridgeNetfilter: Bool) async throws {
        let scene = try await scene()
        try await scene.host.setBridgeNetfilter(bridgeNetfilter)
        let linkLocal = scene.mac.linkLocalAddress
        let nobody = IPAddress(.ipv6, 0)
        let truths: [Frame] = [
            .arp(from: scene.mac, owner: scene.mac, scene.ipv4, word: "truth 0"),
            .udp(from: scene.mac, scene.ipv4, to: scene.victim.ipv4, word: "truth 1"),
            .udp(from: scene.mac, scene.ipv6, to: scene.victim.ipv6, word: "truth 2"),
            .udp(from: scene.mac, linkLocal, to: scene.victim.ipv6, word: "truth 3"),
            .icmpv6(136, from: scene.mac, scene.ipv6, about: scene.ipv6, word: "truth 4"),
            .icmpv6(136, from: scene.mac, linkLocal, about: linkLocal, word: "truth 5"),
            .icmpv6(135, from: scene.mac, scene.ipv6, about: scene.victim.ipv6, word: "truth 6"),
            .icmpv6(135, from: scene.mac, nobody, about: scene.ipv6, word: "truth 7"),
            .icmpv6(133, from: scene.mac, linkLocal, about: nobody, word: "truth 8"),
        ]
        for truth in truths { try scene.liar.send(truth) }

        let arrived = try scene.witness.frames(until: "truth 8")
        for number in truths.indices {
            #expect(arrived.contains { contains($0, "truth \(number)") }, "truth \(number)")
        }
    }

    /// route_localnet lets answers for 127.0.0.1 come in from the bridge; nothing else may.
    @Test(arguments: bridgeNetfilterStates)
    func aGuestDoesNotReachTheHostsLoopback(bridgeNetfilter: Bool) async throws {
        let scene = try await scene()
        try await scene.host.setBridgeNetfilter(bridgeNetfilter)
        let secret = try await TestSocket.listening(in: scene.host.namespace, .udp, "127.0.0.1", 7)
        let open = try await TestSocket.listening(in: scene.host.namespace, .udp, "10.88.0.1", 7)
        let bridge = try await scene.host.shell("ip -brief link show dev carpel0 | awk '{ printf $3 }'")
        let router = try #require(MACAddress(bridge))
        for (address, word) in [("127.0.0.1", "spoofed"), ("10.88.0.1", "the end")] {
            let frame = Frame.udp(from: scene.mac, scene.ipv4, to: try #require(IPAddress(address)), word: word)
            try scene.liar.send(router.bytes + frame.dropFirst(6))
        }
        #expect(try open.received().text == "the end")
        #expect(!secret.hasReceived)
    }

    private func lies(_ scene: Scene) -> [(what: String, frame: Frame)] {
        let (mac, ipv4, ipv6, victim, router) = (scene.mac, scene.ipv4, scene.ipv6, scene.victim, scene.router)
        let linkLocal = mac.linkLocalAddress
        let nobody = IPAddress(.ipv6, 0)
        let internet = IPAddress(.ipv4, 0x0808_0808)
        let (vlan, vlans): (Frame, Frame) = ([0x81, 0, 0, 5], [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6])
        let word = "spoofed"
        return [
            ("another card", .udp(from: victim.mac, ipv4, to: victim.ipv4, word: word)),
            ("another's card and address", .udp(from: victim.mac, victim.ipv4, to: ipv4, word: word)),
            ("another's IPv4 address", .udp(from: mac, victim.ipv4, to: ipv4, word: word)),
            ("the router's IPv4 address", .udp(from: mac, router.ipv4, to: victim.ipv4, word: word)),
            ("another's IPv6 address", .udp(from: mac, victim.ipv6, to: ipv6, word: word)),
            ("another's link-local address", .udp(from: mac, victim.mac.linkLocalAddress, to: ipv6, word: word)),
            ("an address of the Internet", .udp(from: mac, internet, to: victim.ipv4, word: word)),
            ("ARP for another's address", .arp(from: mac, owner: mac, victim.ipv4, word: word)),
            ("ARP for the router's address", .arp(from: mac, owner: mac, router.ipv4, word: word)),
            ("ARP with another card inside", .arp(from: mac, owner: victim.mac, ipv4, word: word)),
            ("advertising another's address", .icmpv6(136, from: mac, ipv6, about: victim.ipv6, word: word)),
            (
                "advertising it behind options",
                .icmpv6(136, from: mac, ipv6, about: victim.ipv6, options: true, word: word)
            ),
            ("advertising the router's address", .icmpv6(136, from: mac, linkLocal, about: router.ipv6, word: word)),
            ("claiming another's address", .icmpv6(135, from: mac, nobody, about: victim.ipv6, word: word)),
            ("a router's advertisement", .icmpv6(134, from: mac, linkLocal, about: nobody, word: word)),
            ("it behind options", .icmpv6(134, from: mac, linkLocal, about: nobody, options: true, word: word)),
            ("a redirect", .icmpv6(137, from: mac, linkLocal, about: victim.ipv6, word: word)),
            ("a VLAN's tag", .udp(from: mac, ipv4, to: victim.ipv4, tag: vlan, word: word)),
            ("a VLAN's tag over another's address", .udp(from: mac, victim.ipv4, to: ipv4, tag: vlan, word: word)),
            ("two VLANs' tags", .udp(from: mac, ipv4, to: victim.ipv4, tag: vlans, word: word)),
            ("PPPoE", .other(from: mac, kind: 0x8864, word: word)),
            ("LLDP", .other(from: mac, kind: 0x88cc, word: word)),
        ]
    }

    private func scene() async throws -> Scene {
        let host = try await TestHost()
        let attachments = [
            try await host.plugin.add(.pod("liar")), try await host.plugin.add(.pod("victim")),
            try await host.plugin.add(.pod("witness")),
        ]
        func address(_ number: Int, _ family: IPAddress.Family) throws -> IPAddress {
            try #require(IPAddress(attachments[number].address(family)))
        }
        return Scene(
            host: host, liar: try await Wire(attachments[0].device, in: host),
            witness: try await Wire(attachments[2].device, in: host),
            mac: try #require(MACAddress(attachments[0].macAddress)), ipv4: try address(0, .ipv4),
            ipv6: try address(0, .ipv6),
            victim: (
                try #require(MACAddress(attachments[1].macAddress)), try address(1, .ipv4), try address(1, .ipv6)
            ),
            router: (try #require(IPAddress("10.88.0.1")), try #require(IPAddress("fd88::1"))))
    }
}
