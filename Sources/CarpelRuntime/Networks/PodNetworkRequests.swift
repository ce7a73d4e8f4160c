import CarpelAPI
import CarpelCore
import CarpelPluginSDK

/// What the plugins are asked for a pod; nothing if the pod is to have its loopback only.
///
/// Host ports and bandwidth belong to the pod's first network.
/// - Parameter plugins: the plugin that serves each network.
/// - Throws: `.invalidArgument`/`networkUnknown`; `.failedPrecondition`/`hostPortsNeedNetwork`.
func networkRequests(
    of config: PodSandboxConfig, podID: String, plugins: [String: String]
) throws -> [AttachedNetwork] {
    let asked = config.carpel?.networks ?? []
    let identity = podIdentity(of: config, id: podID)
    var networks: [AttachedNetwork] = []
    for (index, network) in (asked.isEmpty ? [PodNetwork()] : asked).enumerated() {
        let field = "config.carpel.networks[\(index)]"
        guard let plugin = try plugin(of: network, plugins: plugins, at: field) else { continue }
        networks.append(
            AttachedNetwork(plugin: plugin, request: networkRequest(network, at: index, for: identity)))
    }
    let ports = hostPorts(of: config)
    guard !networks.isEmpty else {
        guard ports.isEmpty else {
            throw CarpelError(
                .failedPrecondition, "hostPortsNeedNetwork",
                "config.portMappings: the pod is on no network that could map ports; "
                    + "name a plugin for the network in carpeld's configuration, or leave hostPort out",
                field: "config.portMappings")
        }
        return []
    }
    networks[0].request.portMappings = ports
    networks[0].request.bandwidth = try bandwidth(of: config)
    return networks
}

/// What the plugin is asked for one network of a pod.
func networkRequest(_ network: PodNetwork, at index: Int, for pod: PodIdentity) -> NetworkAddRequest {
    NetworkAddRequest(
        pod: pod, network: networkName(of: network), interfaceName: interfaceName(of: network, at: index),
        addresses: network.addresses, macAddress: network.macAddress.isEmpty ? nil : network.macAddress)
}

func podIdentity(of config: PodSandboxConfig, id: String) -> PodIdentity {
    let metadata = config.metadata ?? PodSandboxMetadata()
    return PodIdentity(id: id, name: metadata.name, namespace: metadata.namespace, uid: metadata.uid)
}

/// The name of the plugin that serves the network; nil if none is to.
func plugin(of network: PodNetwork, plugins: [String: String], at field: String) throws -> String? {
    let name = networkName(of: network)
    guard let plugin = plugins[name] else {
        throw CarpelError.invalid(
            "\(field).name",
            "carpeld's configuration has no network \"\(name)\", only \(plugins.keys.sorted().joined(separator: ", "))",
            reason: "networkUnknown")
    }
    return plugin == DaemonConfiguration.noNetwork ? nil : plugin
}

private func networkName(of network: PodNetwork) -> String { network.name.isEmpty ? "default" : network.name }

private func hostPorts(of config: PodSandboxConfig) -> [CarpelPluginSDK.PortMapping] {
    config.portMappings.compactMap { mapping in
        // Validation has let through nothing that does not fit.
        guard mapping.hostPort != 0, let hostPort = UInt16(exactly: mapping.hostPort),
            let containerPort = UInt16(exactly: mapping.containerPort)
        else { return nil }
        let transport: CarpelPluginSDK.PortMapping.TransportProtocol =
            switch mapping.protocol {
            case .TCP: .tcp
            case .UDP: .udp
            case .SCTP: .sctp
            }
        return CarpelPluginSDK.PortMapping(
            transport: transport, hostPort: hostPort, containerPort: containerPort,
            hostIP: mapping.hostIp.isEmpty ? nil : mapping.hostIp)
    }
}
