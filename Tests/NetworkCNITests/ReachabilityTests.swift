import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

/// Real packets, between stand-ins for machines.
@Suite(.serialized) struct ReachabilityTests {
    @Test func podsReachEachOtherAndTheHostOverBothFamilies() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        let (first, second) = (try await plugin.add(.pod("first")), try await plugin.add(.pod("second")))
        let (client, server) = (try await Guest(first, on: node), try await Guest(second, on: node))

        for address in [second.ipv4, second.ipv6, "10.22.0.1", "fd00:22::1"] {
            try await client.run("ping -c 1 -W 5 \(address)")
        }
        for address in [first.ipv4, first.ipv6] { try await node.run("ping -c 1 -W 5 \(address)") }
        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv4)
        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv6)
        try await Transfer(node).check(from: client.run, to: node.run, at: "10.22.0.1")
        try await Transfer(node).check(from: node.run, to: client.run, at: first.ipv6)
    }

    /// The redirection carries frames whose checksum is still to be made, and larger ones than the wire takes.
    @Test(arguments: [(true, false), (false, true), (false, false)])
    func checksumsAreRightWhicheverSideMakesThem(_ clientOffloads: Bool, _ serverOffloads: Bool) async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        let (first, second) = (try await plugin.add(.pod("first")), try await plugin.add(.pod("second")))
        let client = try await Guest(first, on: node, offloads: clientOffloads)
        let server = try await Guest(second, on: node, offloads: serverOffloads)

        for address in [second.ipv4, second.ipv6] {
            try await Transfer(node, bytes: 8 << 20).check(from: client.run, to: server.run, at: address)
        }
        try await Transfer(node, bytes: 8 << 20).check(from: node.run, to: server.run, at: second.ipv4)
        let wrong = try await server.run("cat /proc/net/snmp /proc/net/snmp6 | grep -E '^Tcp:|InErrs|InCsumErrors'")
        #expect(try await server.run("nstat -az TcpInCsumErrors | awk 'END {print $2}'") == "0\n", "\(wrong)")
    }

    @Test func aForwardedPortLeadsIntoThePodFromOutside() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let outside = try await Outside(node)
        let plugin = try await node.start()
        let ports = [
            PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80),
            PortMapping(transport: .udp, hostPort: 8081, containerPort: 81),
        ]
        let attachment = try await plugin.add(.pod("web", ports: ports))
        let server = try await Guest(attachment, on: node)

        for address in [Outside.nodeIPv4, Outside.nodeIPv6] {
            try await Transfer(node).check(from: outside.run, port: 8080, to: server.run, port: 80, at: address)
        }
        try await Transfer(node).check(from: node.run, port: 8080, to: server.run, port: 80, at: "127.0.0.1")
        // The pod itself, by the host's address.
        try await Transfer(node).check(from: server.run, port: 8080, to: server.run, port: 80, at: Outside.nodeIPv4)

        async let echo = server.run("timeout 20 socat -T 5 UDP4-RECVFROM:81 SYSTEM:'read x; echo got $x'")
        try await eventually("the pod listens") { try await server.run("ss -Hlun").contains(":81") }
        let answer = try await outside.run("echo datagram | socat -T 5 - UDP4:\(Outside.nodeIPv4):8081")
        #expect(answer == "got datagram\n")
        _ = try await echo

        try await plugin.delete(.pod("web"))
        await #expect(throws: (any Error).self) {
            try await outside.run("socat -u OPEN:/dev/null TCP:\(Outside.nodeIPv4):8080,connect-timeout=1")
        }
    }

    @Test func aPodGoesOutUnderTheHostsAddress() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let outside = try await Outside(node)
        let plugin = try await node.start()
        let guest = try await Guest(try await plugin.add(.pod("client")), on: node)

        async let peer = outside.run("timeout 20 socat -T 5 TCP4-LISTEN:9000,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR'")
        let seen = try await guest.run("socat -T 5 -u TCP:\(Outside.ipv4):9000,retry=50,interval=0.1 -")
        _ = try await peer
        #expect(seen == "\(Outside.nodeIPv4)\n")
    }

    /// ptp has no network that its pods share: each reaches all others over its own gateway.
    @Test func podsOfPointToPointLinksReachEachOther() async throws {
        let pointToPoint = #"{"type": "ptp", "ipMasq": false, "ipam": \#(Networks.addressManagement)}"#
        let node = try await Node(["10-pods.conflist": Networks.list(pointToPoint)])
        let plugin = try await node.start()
        let (first, second) = (try await plugin.add(.pod("first")), try await plugin.add(.pod("second")))
        let (client, server) = (try await Guest(first, on: node), try await Guest(second, on: node))

        #expect(first.addresses.map(\.address) == ["10.22.0.2/32", "fd00:22::2/128"])
        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv4)
        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv6)
        try await client.run("ping -c 1 -W 5 10.22.0.1")
    }

    /// What Flannel's plugin hands to bridge, as its sources say; Flannel itself needs a cluster.
    @Test func aBridgeAsFlannelConfiguresItWorksWithItsOldVersionOfCNI() async throws {
        let bridge = #"""
            {"type": "bridge", "bridge": "cni0", "mtu": 1450, "hairpinMode": true, "ipMasq": false,
             "isDefaultGateway": true, "ipam": {"type": "host-local", "dataDir": "@/addresses",
             "ranges": [[{"subnet": "10.22.0.0/24"}]], "routes": [{"dst": "10.16.0.0/12"}]}}
            """#
        let portmap = #"{"type": "portmap", "capabilities": {"portMappings": true}}"#
        let node = try await Node([
            "10-flannel.conflist": Networks.list(bridge, portmap, version: #""cniVersion": "0.3.1""#, name: "cbr0")
        ])
        let outside = try await Outside(node)
        let plugin = try await node.start()
        let ports = [PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)]
        let (first, second) = (try await plugin.add(.pod("first")), try await plugin.add(.pod("second", ports: ports)))
        let (client, server) = (try await Guest(first, on: node), try await Guest(second, on: node))

        #expect(first.mtu == 1450)
        #expect(first.routes.contains(Route(destination: "0.0.0.0/0", gateway: "10.22.0.1")))
        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv4)
        try await Transfer(node).check(
            from: outside.run, port: 8080, to: server.run, port: 80, at: Outside.nodeIPv4)
        // 0.3.1 knows no CHECK: the links are looked at all the same.
        try await plugin.check(.of(first, "first"))
        for pod in ["first", "second"] { try await plugin.delete(.pod(pod)) }
        try await expectNothingLeft(on: node)
    }

    /// Calico's way: an address without a network, and a gateway that is on no network. Calico itself needs a cluster.
    @Test func podsThatAreRoutedOverAGatewayOnNoNetworkReachEachOther() async throws {
        let node = try await Node([
            "10-routed.conflist": Networks.list(#"{"type": "routed"}"#, version: #""cniVersion": "0.3.1""#)
        ])
        try node.install(
            "routed",
            #"""
            [ $CNI_COMMAND = VERSION ] && echo '{"supportedVersions": ["0.3.1"]}' && exit
            host=r$CNI_CONTAINERID; pod="nsenter --net=$CNI_NETNS"
            if [ $CNI_COMMAND = DEL ]; then ip link delete $host 2>/dev/null; exit 0; fi
            case $CNI_CONTAINERID in first) number=11;; *) number=12;; esac
            exec 3>&1 1>&2; set -e
            $pod ip link add eth0 type veth peer name $host netns $$
            ip link set $host up; sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.$host.proxy_arp=1
            $pod ip address add 10.22.0.$number/32 dev eth0; $pod ip link set eth0 up
            $pod ip route add 169.254.1.1 dev eth0; $pod ip route add default via 169.254.1.1
            ip route add 10.22.0.$number dev $host
            echo '{"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.22.0.'$number'/32"}]}' >&3
            """#)
        // A host answers for an address that it has a route to.
        let outside = try await Outside(node)
        try await node.run("ip route add default via \(Outside.ipv4)")
        let plugin = try await node.start()
        let (first, second) = (try await plugin.add(.pod("first")), try await plugin.add(.pod("second")))
        let (client, server) = (try await Guest(first, on: node), try await Guest(second, on: node))

        #expect(first.addresses == [IPConfiguration(address: "10.22.0.11/32")])
        #expect(
            first.routes == [
                Route(destination: "169.254.1.1/32"), Route(destination: "0.0.0.0/0", gateway: "169.254.1.1"),
            ])
        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv4)
        try await outside.run("ip route add 10.22.0.0/24 via \(Outside.nodeIPv4)")
        try await Transfer(node).check(from: outside.run, to: client.run, at: first.ipv4)
    }

    @Test func podsOnMacvlanReachEachOtherAndTheWireBeneath() async throws {
        let macvlan =
            #"{"type": "macvlan", "master": "outside", "mode": "bridge", "ipam": \#(Networks.addressManagement)}"#
        let node = try await Node(["10-pods.conflist": Networks.list(macvlan)])
        let outside = try await Outside(node)
        try await outside.run("ip address add 10.22.0.200/24 dev eth0")
        let plugin = try await node.start()
        let (first, second) = (try await plugin.add(.pod("first")), try await plugin.add(.pod("second")))
        let (client, server) = (try await Guest(first, on: node), try await Guest(second, on: node))

        try await Transfer(node).check(from: client.run, to: server.run, at: second.ipv4)
        try await Transfer(node).check(from: client.run, to: outside.run, at: "10.22.0.200")
    }

    @Test func bandwidthIsLimitedInBothDirections() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        // 4 MiB are 33.6 Mbit, of which 2.1 are the burst.
        let limit = Bandwidth(ingressBitsPerSecond: 16_000_000, egressBitsPerSecond: 16_000_000)
        let attachment = try await plugin.add(.pod("slow", bandwidth: limit))
        let guest = try await Guest(attachment, on: node)

        let clock = ContinuousClock()
        let egress = try await clock.measure {
            try await Transfer(node, bytes: 4 << 20).check(from: guest.run, to: node.run, at: "10.22.0.1")
        }
        let ingress = try await clock.measure {
            try await Transfer(node, bytes: 4 << 20).check(from: node.run, to: guest.run, at: attachment.ipv4)
        }
        #expect(egress > .seconds(1.9))
        #expect(ingress > .seconds(1.9))
    }

    @Test func theMTUOfTheChainHoldsToTheMachine() async throws {
        let bridge = Networks.bridgePlugin.replacing(#""bridge": "cni0""#, with: #""bridge": "cni0", "mtu": 1400"#)
        let node = try await Node(["10-pods.conflist": Networks.list(bridge)])
        let plugin = try await node.start()
        let attachment = try await plugin.add(.pod("small"))
        let guest = try await Guest(attachment, on: node)

        #expect(attachment.mtu == 1400)
        try await guest.run("ping -c 1 -W 5 -M do -s 1372 10.22.0.1")
        await #expect(throws: (any Error).self) { try await guest.run("ping -c 1 -W 1 -M do -s 1373 10.22.0.1") }
    }

    @Test func aPodGetsTheAddressesAndTheMACAddressThatItAsksFor() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        var request = NetworkAddRequest.pod("static")
        request.addresses = ["10.22.0.77", "fd00:22::77"]
        request.macAddress = "02:00:00:00:77:01"
        let attachment = try await plugin.add(request)
        let guest = try await Guest(attachment, on: node)

        #expect(attachment.ipv4 == "10.22.0.77")
        #expect(attachment.ipv6 == "fd00:22::77")
        #expect(attachment.macAddress == "02:00:00:00:77:01")
        try await guest.run("ping -c 1 -W 5 fd00:22::1")
        #expect(try await node.run("ip neighbour").contains("02:00:00:00:77:01"))
    }
}

/// A file that goes over TCP and must arrive as it was sent.
private struct Transfer {
    typealias Run = @Sendable (String) async throws -> String

    let node: Node
    let bytes: Int

    init(_ node: Node, bytes: Int = 24 << 20) {
        self.node = node
        self.bytes = bytes
    }

    func check(
        from client: Run, port: Int = 5000, to server: Run, port serverPort: Int = 5000, at address: String
    ) async throws {
        let id = UUID().uuidString
        let (sent, received) = ("\(node.folder.path)/sent-\(id)", "\(node.folder.path)/received-\(id)")
        try await shell("head -c \(bytes) /dev/urandom > \(sent)")
        let host = address.contains(":") ? "[\(address)]" : address
        async let reception = server(
            "timeout 60 socat -u TCP6-LISTEN:\(serverPort),ipv6only=0,reuseaddr OPEN:\(received),creat")
        let sending = try await client(
            "timeout 60 socat -u OPEN:\(sent) TCP:\(host):\(port),retry=50,interval=0.1,connect-timeout=5")
        _ = (sending, try await reception)
        try await shell("cmp \(sent) \(received) && rm \(sent) \(received)")
    }
}

/// A host beside the node, on the same wire.
private final class Outside: Sendable {
    static let nodeIPv4 = "192.0.2.1"
    static let nodeIPv6 = "2001:db8::1"
    static let ipv4 = "192.0.2.2"

    private let namespaces: NamespaceHolder

    init(_ node: Node) async throws {
        namespaces = try await NamespaceHolder(
            "--net", log: "\(node.folder.path)/outside.log", prepare: "ip link set lo up")
        try await node.run(
            """
            ip link add outside type veth peer name eth0 netns \(namespaces.processID)
            ip address add \(Self.nodeIPv4)/24 dev outside && ip address add \(Self.nodeIPv6)/64 dev outside nodad
            ip link set outside up
            """)
        try await namespaces.run(
            """
            ip address add \(Self.ipv4)/24 dev eth0 && ip address add 2001:db8::2/64 dev eth0 nodad
            ip link set eth0 up
            """)
    }

    @discardableResult @Sendable
    func run(_ command: String) async throws -> String { try await namespaces.run(command) }
}
