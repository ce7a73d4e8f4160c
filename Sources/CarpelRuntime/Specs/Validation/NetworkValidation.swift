import CarpelAPI
import CarpelCore
import CarpelPluginSDK

/// A host port of 0 asks for nothing: the kubelet sends one for each declared container port.
/// Source: CRI, PortMapping.host_port.
func checkPortMappings(_ mappings: [CarpelAPI.PortMapping], at field: String) throws {
    for (index, mapping) in mappings.enumerated() {
        let field = "\(field)[\(index)]"
        let leastContainerPort: Int32 = mapping.hostPort == 0 ? 0 : 1
        guard (leastContainerPort...65535).contains(mapping.containerPort) else {
            throw CarpelError.invalid("\(field).containerPort", "\(mapping.containerPort) is no port; use 1 to 65535")
        }
        guard (0...65535).contains(mapping.hostPort) else {
            throw CarpelError.invalid(
                "\(field).hostPort", "\(mapping.hostPort) is no port; use 1 to 65535, or 0 for none")
        }
        if !mapping.hostIp.isEmpty { try checkAddress(mapping.hostIp, at: "\(field).hostIp") }
    }
}

/// A pod's machine has room for this many cards.
private let mostNetworks = 4

func checkNetworks(_ networks: [PodNetwork], at field: String) throws {
    guard networks.count <= mostNetworks else {
        throw CarpelError.invalid(field, "\(networks.count) networks; a pod has at most \(mostNetworks)")
    }
    var names: Set<String> = []
    for (index, network) in networks.enumerated() {
        try checkNetwork(network, at: "\(field)[\(index)]")
        guard names.insert(interfaceName(of: network, at: index)).inserted else {
            throw CarpelError.invalid(
                "\(field)[\(index)].interfaceName", "another network of the pod has this interface; name another")
        }
    }
}

func checkNetwork(_ network: PodNetwork, at field: String) throws {
    for (index, address) in network.addresses.enumerated() {
        try checkAddress(address, at: "\(field).addresses[\(index)]")
    }
    if !network.macAddress.isEmpty { try checkMACAddress(network.macAddress, at: "\(field).macAddress") }
    guard !network.interfaceName.isEmpty else { return }
    // Source: Linux, dev_valid_name() and IFNAMSIZ.
    let name = network.interfaceName
    let isValid =
        name.utf8.count <= 15 && name != "lo" && name != "." && name != ".." && !name.holdsControlCharacter
        && !name.contains { $0 == "/" || $0 == ":" || $0.isWhitespace }
    guard isValid else {
        throw CarpelError.invalid(
            "\(field).interfaceName",
            "\"\(name)\" names no network interface: at most 15 bytes without slash, colon and space, and not lo")
    }
}

/// `eth0` for the first network, `eth1` for the next and so on.
func interfaceName(of network: PodNetwork, at index: Int) -> String {
    network.interfaceName.isEmpty ? "eth\(index)" : network.interfaceName
}

func checkAddress(_ address: String, at field: String) throws {
    guard isAddress(address) else {
        throw CarpelError.invalid(field, "\"\(address)\" is no IPv4 or IPv6 address", reason: "addressInvalid")
    }
}

/// A group address cannot be a card's own. Source: IEEE 802-2014, section 8.2.
private func checkMACAddress(_ address: String, at field: String) throws {
    let bytes = address.split(separator: ":", omittingEmptySubsequences: false).map {
        $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil
    }
    guard bytes.count == 6, let first = bytes[0], !bytes.contains(nil), first & 1 == 0 else {
        throw CarpelError.invalid(
            field, "\"\(address)\" is no MAC address of one card; give six hexadecimal bytes such as 02:00:00:12:34:56")
    }
}

/// What Kubernetes' traffic shaping annotations ask for, in bits a second.
///
/// Source: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/#support-traffic-shaping
/// - Throws: `.invalidArgument` if one is not a quantity of at least 1k.
func bandwidth(of config: PodSandboxConfig) throws -> Bandwidth? {
    func rate(_ key: String) throws -> UInt64? {
        guard let text = config.annotations[key] else { return nil }
        guard let rate = ByteCount(quantity: text)?.bytes, rate >= 1000 else {
            throw CarpelError.invalid(
                "config.annotations[\(key)]", "\"\(text)\" is no rate; give bits a second as a quantity, such as 10M")
        }
        return UInt64(rate)
    }
    let bandwidth = Bandwidth(
        ingressBitsPerSecond: try rate("kubernetes.io/ingress-bandwidth"),
        egressBitsPerSecond: try rate("kubernetes.io/egress-bandwidth"))
    return bandwidth == Bandwidth() ? nil : bandwidth
}
