import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Real pods on real networks, each node in a network namespace of its own.
    @Suite(.serialized) struct NetworkTests {
        /// A plugin and what its network looks like.
        struct Fixture: CustomTestStringConvertible {
            let plugin: String
            /// What the plugin is configured with, as YAML. FOLDER stands for the node's folder.
            let configuration: String
            var testDescription: String { plugin }

            static let bridge = Fixture(
                plugin: "network-bridge",
                configuration: """
                    { networks: {
                        default: { subnets: [{ subnet: 10.88.0.0/16 }, { subnet: "fd88::/64" }] },
                        backend: { bridge: backend0, subnets: [{ subnet: 10.89.0.0/24 }] } } }
                    """)
            static let cni = Fixture(
                plugin: "network-cni",
                configuration: """
                    { networks: [{ cniVersion: 1.0.0, name: default, disableCheck: true, plugins: [
                        { type: bridge, bridge: cni0, isGateway: true, ipMasq: true, hairpinMode: true,
                          capabilities: { ips: true, mac: true },
                          ipam: { type: host-local, dataDir: FOLDER/addresses,
                              ranges: [[{ subnet: 10.22.0.0/16 }], [{ subnet: "fd00:22::/64" }]],
                              routes: [{ dst: 0.0.0.0/0 }, { dst: "::/0" }] } },
                        { type: portmap, capabilities: { portMappings: true }, snat: true },
                        { type: bandwidth, capabilities: { bandwidth: true } },
                        { type: firewall }] }] }
                    """)
        }

        private static let page = "served by the pod"

        /// Runs `body` on a node whose pods are on the plugin's network, with the test image imported.
        private func withNode(
            _ fixture: Fixture, _ body: (Node, CarpelClient, TestNetwork, _ image: String) async throws -> Void
        ) async throws {
            let network = try await TestNetwork()
            let folder = try TemporaryFolder()
            let plugins = try installPlugins([fixture.plugin], in: folder)
            let configuration = fixture.configuration.replacing("FOLDER", with: folder.path).replacing("\n", with: " ")
            let settings = """
                networks: { default: \(fixture.plugin), backend: \(fixture.plugin) }
                plugins: { folders: [\(plugins)], configurations: { \(fixture.plugin): \(configuration) } }

                """
            try await Node.with(settings: settings, folder: folder, network: network) { node, client in
                let image = "localhost/busybox:1"
                try await client.importImage(try await Fixtures.shared.layout(), as: image)
                try await body(node, client, network, image)
            }
            try await network.remove()
        }

        /// A pod that serves `page` on port 8080, over both families.
        private func runServer(
            _ client: CarpelClient, _ name: String, image: String, _ set: (inout PodSandboxConfig) -> Void = { _ in }
        ) async throws -> (pod: String, container: String, addresses: [String]) {
            let pod = try await client.runPod(podConfig(name, set))
            let container = try await client.runContainer(
                in: pod,
                containerConfig(
                    "server", image,
                    ["sh", "-c", "mkdir /www; echo '\(Self.page)' > /www/index.html; exec httpd -f -p 8080 -h /www"]))
            let network = try await client.podStatus(pod).status?.network ?? PodSandboxNetworkStatus()
            return (pod, container, [network.ip] + network.additionalIps.map(\.ip))
        }

        private func url(_ address: String, _ port: Int) -> String {
            "http://\(address.contains(":") ? "[\(address)]" : address):\(port)/"
        }

        /// What a container gets from the URL; waits until it gets something.
        private func fetch(_ client: CarpelClient, _ url: String, from container: String) async throws -> String {
            var answer = ""
            try await eventually("\(url) answers the pod") {
                let fetched = try await client.exec(container, "wget", "-q", "-O", "-", url)
                answer = fetched.out
                return fetched.code == 0
            }
            return answer
        }

        private func fetch(_ network: TestNetwork, _ url: String) async throws -> String {
            var answer = ""
            try await eventually("\(url) answers the node") {
                answer = (try? await network.shell("curl --silent --fail --max-time 3 '\(url)'")) ?? ""
                return !answer.isEmpty
            }
            return answer
        }

        @Test(arguments: [Fixture.bridge, .cni])
        func podsReachEachOtherTheNodeAndAForwardedPort(_ fixture: Fixture) async throws {
            try await withNode(fixture) { node, client, network, image in
                let conditions = try await client.call(Methods.status, StatusRequest()).status?.conditions ?? []
                #expect(conditions.first { $0.type == "NetworkReady" }?.status == true)

                let server = try await runServer(client, "server", image: image) {
                    $0.portMappings = [
                        PortMapping {
                            $0.containerPort = 8080
                            $0.hostPort = 18080
                        }
                    ]
                }
                #expect(server.addresses.count == 2 && server.addresses.contains { $0.contains(":") })
                let other = try await runServer(client, "other", image: image)
                #expect(Set(server.addresses).isDisjoint(with: other.addresses))

                for address in server.addresses {
                    #expect(try await fetch(network, url(address, 8080)) == "\(Self.page)\n")
                    #expect(try await fetch(client, url(address, 8080), from: other.container) == "\(Self.page)\n")
                }
                try await reachTheNode(client, network, from: other.container)
                try await useTheForwardedPort(client, network, server: server.container, other: other.container)

                let names = try await client.exec(other.container, "cat", "/etc/hosts").out
                for address in other.addresses { #expect(names.contains(address)) }

                try await client.stopPod(server.pod)
                #expect(try await client.podStatus(server.pod).status?.network?.ip == "")
                try await client.removePod(server.pod)
                try await client.removePod(other.pod)
                let listed = try await client.call(Methods.listNetworks, ListNetworksRequest()).networks
                #expect(listed.map(\.name) == ["backend", "default"] && listed.allSatisfy { $0.attachments.isEmpty })
                let taps = try await network.shell("ip -o link show type tun | wc -l")
                #expect(taps == "0\n")
                _ = node
            }
        }

        /// The node's own addresses on the pods' network answer.
        private func reachTheNode(_ client: CarpelClient, _ network: TestNetwork, from container: String) async throws {
            for route in try await client.exec(container, "ip", "route").out.split(separator: "\n")
            where route.hasPrefix("default via ") {
                let gateway = String(route.split(separator: " ")[2])
                #expect(try await client.exec(container, "ping", "-c", "1", "-W", "5", gateway).code == 0)
            }
        }

        /// From the node by its own address, and hairpin: from another pod and from the pod itself.
        private func useTheForwardedPort(
            _ client: CarpelClient, _ network: TestNetwork, server: String, other: String
        ) async throws {
            let gateways = try await client.exec(other, "sh", "-c", "ip route; ip -6 route").out
                .split(separator: "\n").filter { $0.hasPrefix("default via ") }
                .map { String($0.split(separator: " ")[2]) }.filter { !$0.hasPrefix("fe80") }
            #expect(!gateways.isEmpty)
            for gateway in gateways {
                #expect(try await fetch(network, url(gateway, 18080)) == "\(Self.page)\n")
                #expect(try await fetch(client, url(gateway, 18080), from: other) == "\(Self.page)\n")
                #expect(try await fetch(client, url(gateway, 18080), from: server) == "\(Self.page)\n")
            }
        }

        @Test func aKilledDaemonKeepsThePodsOnTheirNetwork() async throws {
            try await withNode(.bridge) { node, _, network, image in
                let client = try await node.connect()
                let server = try await runServer(client, "server", image: image)
                try await node.killDaemon()
                #expect(try await fetch(network, url(server.addresses[0], 8080)) == "\(Self.page)\n")
                try await node.startDaemon()
                let again = try await node.connect()
                #expect(try await again.podStatus(server.pod).status?.network?.ip == server.addresses[0])
                let other = try await runServer(again, "other", image: image)
                #expect(Set(server.addresses).isDisjoint(with: other.addresses))
                #expect(
                    try await fetch(again, url(server.addresses[0], 8080), from: other.container) == "\(Self.page)\n")
            }
        }

        @Test func aRunningPodIsPutOnASecondNetworkAndTakenOffAgain() async throws {
            try await withNode(.bridge) { node, client, network, image in
                let server = try await runServer(client, "server", image: image)
                let attach = AttachNetworkRequest {
                    $0.podSandboxId = server.pod
                    $0.network = PodNetwork { $0.name = "backend" }
                }
                let attachment = try await client.call(Methods.attachNetwork, attach).attachment
                let second = try #require(attachment)
                #expect(second.interfaceName == "eth1")
                let address = String(try #require(second.addresses.first).address.prefix { $0 != "/" })
                let shown = try await client.exec(server.container, "ip", "address", "show", "dev", "eth1").out
                #expect(shown.contains(address))
                #expect(try await network.shell("ping -c 1 -W 5 \(address)").contains("1 received"))

                let detach = DetachNetworkRequest {
                    $0.podSandboxId = server.pod
                    $0.interfaceName = "eth1"
                }
                _ = try await client.call(Methods.detachNetwork, detach)
                #expect(try await client.exec(server.container, "ip", "link", "show", "dev", "eth1").code != 0)
                let refused = await #expect(throws: CarpelError.self) {
                    try await client.call(
                        Methods.detachNetwork,
                        DetachNetworkRequest {
                            $0.podSandboxId = server.pod
                            $0.interfaceName = "eth0"
                        })
                }
                #expect(refused?.reason == "networkIsPods")
            }
        }

        @Test func aPluginsDeathHarmsNoPod() async throws {
            try await withNode(.bridge) { node, client, network, image in
                let server = try await runServer(client, "server", image: image)
                let plugin = try #require(
                    try await client.call(Methods.listPlugins, ListPluginsRequest()).plugins.first)
                #expect(plugin.state == .READY && plugin.capabilities == ["CAP_NET_ADMIN"])
                kill(plugin.processId, SIGKILL)
                let other = try await runServer(client, "other", image: image)
                #expect(
                    try await fetch(client, url(server.addresses[0], 8080), from: other.container) == "\(Self.page)\n")
                let after = try #require(
                    try await client.call(Methods.listPlugins, ListPluginsRequest()).plugins.first)
                #expect(after.state == .READY && after.processId != plugin.processId && after.restarts == 1)
            }
        }
    }
}
