import CarpelCore
import CarpelPluginSDK

extension NetworkAddRequest {
    /// What the chain is told beyond its configuration, by capability.
    ///
    /// Source: CNI's conventions for dynamic plugin-specific fields.
    /// - Throws: `PluginError` with `.failedPrecondition` if something is asked for that no plugin of the chain can do.
    func capabilityArguments(for network: NetworkConfiguration, dns: JSONValue?) throws -> [String: JSONValue] {
        var arguments: [String: JSONValue] = [:]
        if !portMappings.isEmpty { arguments["portMappings"] = .array(portMappings.map(\.capabilityArgument)) }
        if !addresses.isEmpty { arguments["ips"] = .array(addresses.map(JSONValue.string)) }
        if let macAddress { arguments["mac"] = .string(macAddress) }
        if let bandwidth, bandwidth != Bandwidth() { arguments["bandwidth"] = bandwidth.capabilityArgument }

        let declared = network.plugins.reduce(into: Set<String>()) { $0.formUnion($1.capabilities) }
        for capability in arguments.keys.sorted() where !declared.contains(capability) {
            throw PluginError(
                .failedPrecondition, "capabilityMissing",
                "the pod asks for \(capability), which no plugin of the network \"\(network.name)\" can do: "
                    + "one must declare \"capabilities\": {\"\(capability)\": true} in \(network.source)")
        }
        if let dns, declared.contains("dns") { arguments["dns"] = dns }
        return arguments
    }

    /// `CNI_ARGS`, with the names that Kubernetes' runtimes give.
    var cniArguments: String {
        let pairs = [
            ("IgnoreUnknown", "1"), ("K8S_POD_NAMESPACE", pod.namespace), ("K8S_POD_NAME", pod.name),
            ("K8S_POD_INFRA_CONTAINER_ID", pod.id), ("K8S_POD_UID", pod.uid),
        ]
        // The format knows no quoting.
        return pairs.filter { !$0.1.isEmpty && !$0.1.contains(";") && !$0.1.contains("=") }
            .map { "\($0)=\($1)" }.joined(separator: ";")
    }
}

extension PortMapping {
    fileprivate var capabilityArgument: JSONValue {
        var members: [String: JSONValue] = [
            "hostPort": .integer(Int64(hostPort)), "containerPort": .integer(Int64(containerPort)),
            "protocol": .string(transport.rawValue),
        ]
        if let hostIP { members["hostIP"] = .string(hostIP) }
        return .object(members)
    }
}

extension Bandwidth {
    /// CNI wants a burst beside a rate: a tenth of a second's traffic, but room for some of the largest packets.
    fileprivate var capabilityArgument: JSONValue {
        var members: [String: JSONValue] = [:]
        for (direction, rate) in [("ingress", ingressBitsPerSecond), ("egress", egressBitsPerSecond)] {
            guard let rate else { continue }
            let burst = min(max(rate / 10, 8 << 18), UInt64(UInt32.max))
            members["\(direction)Rate"] = .integer(Int64(clamping: rate))
            members["\(direction)Burst"] = .integer(Int64(clamping: burst))
        }
        return .object(members)
    }
}
