import CarpelAPI
import CarpelCore
import CarpelPluginSDK
import Testing

@testable import CarpelRuntime

@Suite struct NetworkRequestTests {
    private let plugins = ["default": "bridge", "blue": "cni", "dark": "none"]

    private func requests(_ change: (inout PodSandboxConfig) -> Void) throws -> [AttachedNetwork] {
        try networkRequests(of: samplePod(change), podID: "1234", plugins: plugins)
    }

    @Test func aPodThatNamesNoNetworkIsOnTheDefault() throws {
        let networks = try requests { _ in }
        #expect(networks.map(\.plugin) == ["bridge"])
        let request = try #require(networks.first?.request)
        #expect(request.network == "default" && request.interfaceName == "eth0")
        #expect(request.pod == PodIdentity(id: "1234", name: "web", namespace: "default", uid: "6f1c"))
        #expect(request.portMappings.isEmpty && request.bandwidth == nil && request.macAddress == nil)
    }

    @Test func theFirstNetworkGetsTheHostPortsAndTheBandwidth() throws {
        let networks = try requests {
            $0.join([PodNetwork { $0.name = "blue" }, PodNetwork()])
            $0.annotations = ["kubernetes.io/ingress-bandwidth": "10M", "kubernetes.io/egress-bandwidth": "1G"]
            $0.portMappings += [
                CarpelAPI.PortMapping {
                    $0.protocol = .UDP
                    $0.containerPort = 53
                    $0.hostPort = 5353
                    $0.hostIp = "127.0.0.1"
                }
            ]
        }
        #expect(networks.map(\.plugin) == ["cni", "bridge"])
        #expect(networks.map(\.request.interfaceName) == ["eth0", "eth1"])
        #expect(
            networks[0].request.portMappings == [
                .init(transport: .udp, hostPort: 5353, containerPort: 53, hostIP: "127.0.0.1")
            ])
        #expect(
            networks[0].request.bandwidth
                == Bandwidth(ingressBitsPerSecond: 10_000_000, egressBitsPerSecond: 1_000_000_000))
        #expect(networks[1].request.portMappings.isEmpty && networks[1].request.bandwidth == nil)
    }

    @Test func whatIsAskedOfANetworkIsPassedOn() throws {
        let networks = try requests {
            $0.join([
                PodNetwork {
                    $0.interfaceName = "lan"
                    $0.addresses = ["10.0.0.7", "fd00::7"]
                    $0.macAddress = "02:00:00:00:00:07"
                }
            ])
        }
        #expect(networks.first?.request.interfaceName == "lan")
        #expect(networks.first?.request.addresses == ["10.0.0.7", "fd00::7"])
        #expect(networks.first?.request.macAddress == "02:00:00:00:00:07")
    }

    @Test func aNetworkWithoutPluginLeavesTheLoopback() throws {
        #expect(try requests { $0.join([PodNetwork { $0.name = "dark" }]) }.isEmpty)
    }

    @Test func hostPortsWithoutNetworkAreRefused() {
        let error = #expect(throws: CarpelError.self) {
            try requests {
                $0.join([PodNetwork { $0.name = "dark" }])
                $0.portMappings[0].hostPort = 8080
            }
        }
        #expect(error?.reason == "hostPortsNeedNetwork" && error?.field == "config.portMappings")
    }

    @Test func anUnknownNetworkIsRefusedByItsField() {
        let error = #expect(throws: CarpelError.self) {
            try requests { $0.join([PodNetwork(), PodNetwork { $0.name = "red" }]) }
        }
        #expect(error?.reason == "networkUnknown" && error?.field == "config.carpel.networks[1].name")
    }
}
