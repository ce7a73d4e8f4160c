import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct PortMappingTests {
    private static let web = [
        PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80),
        PortMapping(transport: .udp, hostPort: 8080, containerPort: 80),
    ]

    @Test(arguments: [TestSocket.Transport.tcp, .udp], ["198.51.100.1", "2001:db8::1"])
    func aPortOfTheHostLeadsToThePodFromOutside(transport: TestSocket.Transport, address: String) async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let guest = try await host.guest(.pod("web", ports: Self.web))
        let pod = try guest.attachment.address(family(address))

        let seen = try await talk(
            transport, from: outside, to: (address, 8080), server: guest.namespace, at: pod, 80)
        #expect(seen == (family(address) == .ipv4 ? "198.51.100.2" : "2001:db8::2"), "the client's own address is kept")
    }

    @Test(
        arguments: [TestSocket.Transport.tcp, .udp],
        ["127.0.0.1", "127.0.0.53", "198.51.100.1", "2001:db8::1", "10.88.0.1", "fd88::1"])
    func theHostReachesThePodThroughItsOwnPort(transport: TestSocket.Transport, address: String) async throws {
        let host = try await TestHost()
        _ = try await host.outsideWorld()
        let guest = try await host.guest(.pod("web", ports: Self.web))
        let pod = try guest.attachment.address(family(address))

        try await talk(
            transport, from: host.namespace, to: (address, 8080), server: guest.namespace, at: pod, 80)
    }

    @Test(arguments: ["198.51.100.1", "2001:db8::1", "10.88.0.1", "fd88::1"], bridgeNetfilterStates)
    func podsReachThemselvesAndOthersThroughThePortOfTheHost(address: String, bridgeNetfilter: Bool) async throws {
        let host = try await TestHost()
        try await host.setBridgeNetfilter(bridgeNetfilter)
        _ = try await host.outsideWorld()
        let web = try await host.guest(.pod("web", ports: Self.web))
        let other = try await host.guest(.pod("other"))
        let pod = try web.attachment.address(family(address))

        for client in [other, web] {
            for transport in [TestSocket.Transport.tcp, .udp] {
                try await talk(
                    transport, from: client.namespace, to: (address, 8080), server: web.namespace, at: pod, 80)
            }
        }
    }

    @Test func theHostsOwnLoopbackPortOfIPv6StaysItsOwn() async throws {
        let host = try await TestHost()
        _ = try await host.plugin.add(.pod("web", ports: Self.web))

        try await talk(.tcp, from: host.namespace, server: host.namespace, at: "::1", 8080)
    }

    /// Its port lets frames out again that came in there: the ones to itself, not the ones to everybody.
    @Test func aPodWithAMappingDoesNotHearItsOwnVoice() async throws {
        let host = try await TestHost()
        let pods = [try await host.plugin.add(.pod("web", ports: Self.web)), try await host.plugin.add(.pod("other"))]
        var wires: [Wire] = []
        for pod in pods { wires.append(try await Wire(pod.device, in: host)) }
        for (number, word) in ["echo", "the end"].enumerated() {
            let mac = try #require(MACAddress(pods[number].macAddress))
            let address = try #require(IPAddress(pods[number].ipv4))
            try wires[number].send(Frame.arp(from: mac, owner: mac, address, word: word))
        }
        #expect(try !wires[0].frames(until: "the end").contains { contains($0, "echo") })
        #expect(try wires[1].frames(until: "echo").count > 0)
    }

    @Test func aMappingOnOneAddressOfTheHostLeavesTheOthersAlone() async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        try await host.shell("ip address add 198.51.100.10/24 dev uplink")
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80, hostIP: "198.51.100.10")
        let guest = try await host.guest(.pod("web", ports: [mapping]))
        let pod = try guest.ipv4

        try await talk(
            .tcp, from: outside, to: ("198.51.100.10", 8080), server: guest.namespace, at: pod, 80)
        try await talk(.tcp, from: outside, server: host.namespace, at: "198.51.100.1", 8080)
    }

    @Test func aMappingOnTheLoopbackAddressIsForTheHostAlone() async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80, hostIP: "127.0.0.1")
        let guest = try await host.guest(.pod("web", ports: [mapping]))

        try await talk(
            .tcp, from: host.namespace, to: ("127.0.0.1", 8080), server: guest.namespace, at: guest.ipv4, 80)
        try await talk(.tcp, from: outside, server: host.namespace, at: "198.51.100.1", 8080)
    }

    @Test func anAssociationOfSCTPArrivesAtThePodsPort() async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let mapping = PortMapping(transport: .sctp, hostPort: 3868, containerPort: 9999)
        let guest = try await host.guest(.pod("diameter", ports: [mapping]))

        let server = try await SCTPSocket(in: guest.namespace)
        let client = try await SCTPSocket(in: outside)
        try client.sendInitiation(to: "198.51.100.1", port: 3868)
        let arrived = try server.receivedInitiation()
        #expect(arrived.port == 9999)
        #expect(arrived.source == "198.51.100.2")
    }

    @Test func twoPodsCannotHaveTheSamePortOfTheHost() async throws {
        let host = try await TestHost()
        _ = try await host.plugin.add(
            .pod("first", ports: [PortMapping(transport: .tcp, hostPort: 80, containerPort: 1)]))

        for hostIP in [nil, "0.0.0.0", "::", "192.0.2.7"] {
            let mapping = PortMapping(transport: .tcp, hostPort: 80, containerPort: 2, hostIP: hostIP)
            let error = await #expect(throws: PluginError.self) {
                try await host.plugin.add(.pod("second", ports: [mapping]))
            }
            #expect(error?.code == .alreadyExists)
            #expect(error?.reason == "hostPortInUse")
        }
        for mapping in [
            PortMapping(transport: .udp, hostPort: 80, containerPort: 2),
            PortMapping(transport: .tcp, hostPort: 81, containerPort: 2, hostIP: "192.0.2.7"),
            PortMapping(transport: .tcp, hostPort: 81, containerPort: 2, hostIP: "192.0.2.8"),
            PortMapping(transport: .tcp, hostPort: 81, containerPort: 2, hostIP: "::"),
        ] {
            let pod = "\(mapping.transport)-\(mapping.hostIP?.filter { $0 != ":" } ?? "")"
            _ = try await host.plugin.add(.pod(pod, ports: [mapping]))
        }
    }

    /// A client that never stops sending, such as a resolver, from one port.
    @Test(arguments: ["198.51.100.1", "2001:db8::1"])
    func datagramsReachThePodThatHasThePortNow(address: String) async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let unserved = try await TestSocket.listening(in: host.namespace, .udp, address, 8080)
        let client = try await TestSocket.connected(in: outside, .udp, address, 8080)
        try client.send("to the host")
        #expect(try unserved.received().text == "to the host")

        for pod in ["first", "second"] {
            let request = NetworkAddRequest.pod(pod, ports: Self.web)
            let guest = try await host.guest(request)
            let server = try await TestSocket.listening(
                in: guest.namespace, .udp, guest.attachment.address(family(address)), 80)
            try client.send("to the \(pod)")
            #expect(try server.received().text == "to the \(pod)")
            try await host.plugin.delete(request.deletion)
        }
    }

    @Test func aPortIsFreeAgainWhenItsPodIsGone() async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let request = NetworkAddRequest.pod("first", ports: Self.web)
        _ = try await host.plugin.add(request)
        try await host.plugin.delete(request.deletion)

        try await talk(.tcp, from: outside, server: host.namespace, at: "198.51.100.1", 8080)
        let second = try await host.guest(.pod("second", ports: Self.web))
        try await talk(
            .tcp, from: outside, to: ("198.51.100.1", 8080), server: second.namespace, at: second.ipv4, 80)
    }
}

private func family(_ address: String) -> IPAddress.Family { address.contains(":") ? .ipv6 : .ipv4 }
