import CarpelNetlink
import CarpelPluginSDK
import Foundation
import Synchronization
import TestSupport

@testable import NetworkBridge

/// A network namespace that stands for a node, with the plugin at work in it.
final class TestHost: Sendable {
    let folder: TemporaryFolder
    let namespace: NetworkNamespace
    let plugin: BridgePlugin
    private let environment: PluginEnvironment
    private let namespaces = Mutex<[NetworkNamespace]>([])

    /// - Parameter configuration: of the plugin.
    init(_ configuration: String = "{}") async throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        namespace = NetworkNamespace(path: "\(folder.path)/host")
        environment = PluginEnvironment(
            name: "network-bridge", stateFolder: folder.path, configuration: Array(configuration.utf8),
            machineGroup: 4711)
        try await namespace.make()
        plugin = try BridgePlugin(environment: environment, namespace: namespace)
    }

    deinit {
        for namespace in namespaces.withLock({ $0 }) + [namespace] { namespace.remove() }
    }

    /// A network namespace that lives as long as the host.
    func makeNamespace(_ name: String) async throws -> NetworkNamespace {
        let namespace = NetworkNamespace(path: "\(folder.path)/\(name)")
        try await namespace.make()
        namespaces.withLock { $0.append(namespace) }
        return namespace
    }

    /// The plugin after a restart; the old one must not be used any more.
    func restarted(_ configuration: String? = nil) throws -> BridgePlugin {
        var environment = environment
        if let configuration {
            environment = PluginEnvironment(
                name: environment.name, stateFolder: environment.stateFolder, configuration: Array(configuration.utf8),
                machineGroup: environment.machineGroup)
        }
        return try BridgePlugin(environment: environment, namespace: namespace)
    }

    /// Runs a command in the namespace.
    @discardableResult
    func shell(_ command: String) async throws -> String { try await namespace.shell(command) }

    /// The name of both of the plugin's tables.
    var table: String { Ownership(stateFolder: folder.path).table }

    /// Puts a pod on a network, and a guest behind its tap.
    func guest(_ request: NetworkAddRequest) async throws -> Guest {
        try await Guest(plugin.add(request), in: self)
    }

    /// Opens a pod's tap as QEMU does, and waits until the kernel lets frames through: it hears of the carrier later.
    func openTap(_ device: String) async throws -> Int32 {
        let tap = try await namespace.run { try TapDevice.open(device) }
        try await eventually("\(device) is up") {
            try await shell("ip -oneline link show dev \(device)").contains("state UP")
        }
        return tap
    }

    /// Another host, connected with this one: `198.51.100.2` and `2001:db8::2`, this one has `.1` and `::1`.
    func outsideWorld() async throws -> NetworkNamespace {
        let outside = try await makeNamespace("outside")
        try await shell(
            """
            ip link add uplink type veth peer name uplink0 netns \(outside.path)
            ip address add 198.51.100.1/24 dev uplink
            ip -6 address add 2001:db8::1/64 dev uplink nodad
            ip link set uplink up
            """)
        try await outside.shell(
            """
            ip address add 198.51.100.2/24 dev uplink0
            ip -6 address add 2001:db8::2/64 dev uplink0 nodad
            ip link set uplink0 up
            """)
        return outside
    }
}

/// A configuration with one network, `default`.
///
/// - Parameters:
///   - subnets: `10.0.0.0/24`, or an object of the configuration.
///   - members: of the network, as in JSON.
func oneNetwork(_ subnets: String..., also members: String...) -> String {
    let objects = subnets.map { $0.hasPrefix("{") ? $0 : #"{"subnet": "\#($0)"}"# }
    let all = [#""subnets": [\#(objects.joined(separator: ", "))]"#] + members
    return #"{"networks": {"default": {\#(all.joined(separator: ", "))}}}"#
}

extension NetworkNamespace {
    /// Runs a command in the namespace; it fails with the first line that fails.
    @discardableResult
    func shell(_ command: String) async throws -> String {
        try await TestSupport.shell("nsenter --net=\"$1\" sh -euc \"$2\"", path, command)
    }
}

extension NetworkAddRequest {
    static func pod(
        _ id: String, network: String = "default", interface: String = "eth0", addresses: [String] = [],
        macAddress: String? = nil, ports: [PortMapping] = [], bandwidth: Bandwidth? = nil
    ) -> NetworkAddRequest {
        NetworkAddRequest(
            pod: PodIdentity(id: id), network: network, interfaceName: interface, addresses: addresses,
            macAddress: macAddress, portMappings: ports, bandwidth: bandwidth)
    }

    var deletion: NetworkDeleteRequest {
        NetworkDeleteRequest(podID: pod.id, network: network, interfaceName: interfaceName)
    }
}

extension NetworkAttachment {
    /// Without its prefix.
    func address(_ family: IPAddress.Family) throws -> String {
        let texts = addresses.compactMap { $0.address.split(separator: "/").first.map(String.init) }
        guard let found = texts.first(where: { IPAddress($0)?.family == family }) else {
            throw SupportError("no \(family.rawValue) address in \(addresses)")
        }
        return found
    }

    var ipv4: String { get throws { try address(.ipv4) } }
    var ipv6: String { get throws { try address(.ipv6) } }
}

/// Whether bridged frames also pass the rules of inet tables: what Docker and kube-proxy switch on for the whole host.
/// Both, where the kernel can.
let bridgeNetfilterStates = FileManager.default.fileExists(atPath: bridgeNetfilter) ? [false, true] : [false]
private let bridgeNetfilter = "/proc/sys/net/bridge/bridge-nf-call-iptables"

extension TestHost {
    func setBridgeNetfilter(_ isOn: Bool) async throws {
        guard bridgeNetfilterStates.contains(true) else { return }
        let value = isOn ? 1 : 0
        try await shell("for f in iptables ip6tables; do echo \(value) > /proc/sys/net/bridge/bridge-nf-call-$f; done")
    }
}
