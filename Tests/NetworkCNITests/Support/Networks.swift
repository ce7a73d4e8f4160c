import CarpelPluginSDK

/// Conflists of Debian's plugins. `@/` is the node's folder.
enum Networks {
    static let addressManagement = #"""
        {"type": "host-local", "dataDir": "@/addresses",
         "ranges": [[{"subnet": "10.22.0.0/24"}], [{"subnet": "fd00:22::/64"}]],
         "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
        """#

    static let bridgePlugin = #"""
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
         "capabilities": {"ips": true, "mac": true}, "ipam": \#(addressManagement)}
        """#

    /// All of Debian's plugins that Kubernetes' nodes have.
    static let bridged = list(
        bridgePlugin, #"{"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}"#,
        #"{"type": "bandwidth", "capabilities": {"bandwidth": true}}"#, #"{"type": "firewall"}"#)

    /// Without what has no working CHECK in Debian's 1.1.1: portmap fails where there is IPv6, bandwidth without limits.
    static let checked = list(bridgePlugin, #"{"type": "firewall"}"#)

    static func list(
        _ plugins: String..., version: String = #""cniVersion": "1.0.0""#, name: String = "pods"
    ) -> String {
        #"{\#(version), "name": "\#(name)", "plugins": [\#(plugins.joined(separator: ",\n"))]}"#
    }
}

extension NetworkAddRequest {
    static func pod(_ id: String, ports: [PortMapping] = [], bandwidth: Bandwidth? = nil) -> NetworkAddRequest {
        NetworkAddRequest(
            pod: PodIdentity(id: id, name: "\(id)-name", namespace: "tests", uid: "\(id)-uid"), portMappings: ports,
            bandwidth: bandwidth)
    }
}

extension NetworkAttachment {
    /// The address without its prefix.
    var ipv4: String { bare { !$0.contains(":") } }
    var ipv6: String { bare { $0.contains(":") } }

    private func bare(_ isWanted: (String) -> Bool) -> String {
        addresses.map(\.address).first(where: isWanted).map { String($0.prefix { $0 != "/" }) } ?? "none"
    }
}

extension NetworkDeleteRequest {
    static func pod(_ id: String) -> NetworkDeleteRequest { NetworkDeleteRequest(podID: id) }
}
