import CarpelNetlink
import CarpelPluginSDK

/// What an ADD asks for, once it is known to make sense.
struct ValidRequest: Sendable {
    struct Mapping: Sendable, Hashable {
        let transport: PortMapping.TransportProtocol
        let hostPort: UInt16
        let containerPort: UInt16
        let hostAddress: HostAddress
    }

    let key: AttachmentKey
    let addresses: [IPAddress]
    let macAddress: MACAddress?
    let portMappings: [Mapping]
    let original: NetworkAddRequest

    /// - Throws: ``PluginError`` with `.invalidArgument` and a reason for each member.
    init(_ request: NetworkAddRequest, on network: Network) throws {
        original = request
        key = AttachmentKey(request)
        guard isWord(key.pod, longest: 64) else {
            throw malformed("podIDInvalid", "a pod's id has 1 to 64 letters, digits, '-', '_' and '.'")
        }
        guard isDeviceName(key.interface) else {
            throw malformed("interfaceNameInvalid", "\(key.interface) is no name of a device")
        }
        addresses = try Self.addresses(request.addresses)
        macAddress = try request.macAddress.map {
            guard let address = MACAddress($0) else {
                throw malformed("macAddressInvalid", "\($0) is no address of one card such as 02:00:00:00:00:01")
            }
            return address
        }
        portMappings = try request.portMappings.map { try Mapping($0, on: network) }
        try Self.refuseRepeated(portMappings)
        for rate in [request.bandwidth?.ingressBitsPerSecond, request.bandwidth?.egressBitsPerSecond] {
            guard let rate, !TokenBucket.acceptedBits.contains(rate) else { continue }
            throw malformed(
                "bandwidthInvalid",
                "\(rate) bits a second are outside of what can be held: \(TokenBucket.acceptedBits)")
        }
    }

    /// Whether another request asks for the same; a pod's name and the like make no difference.
    func asks(for other: NetworkAddRequest) -> Bool {
        var other = other
        other.pod = original.pod
        return other == original
    }

    private static func addresses(_ texts: [String]) throws -> [IPAddress] {
        let addresses = try texts.map { text in
            guard let address = IPAddress(text) else {
                throw malformed("addressInvalid", "\(text) is no IP address such as 10.88.0.7 or fd88::7")
            }
            return address
        }
        guard Set(addresses).count == addresses.count else {
            throw malformed("addressRepeated", "an address is asked for twice")
        }
        return addresses
    }

    private static func refuseRepeated(_ mappings: [Mapping]) throws {
        for (index, one) in mappings.enumerated() {
            let overlaps = mappings[(index + 1)...].contains {
                $0.transport == one.transport && $0.hostPort == one.hostPort
                    && $0.hostAddress.overlaps(one.hostAddress)
            }
            guard !overlaps else {
                throw malformed(
                    "portMappingRepeated", "the host's port \(one.hostPort)/\(one.transport.rawValue) is mapped twice")
            }
        }
    }
}

extension ValidRequest.Mapping {
    fileprivate init(_ mapping: PortMapping, on network: Network) throws {
        guard mapping.hostPort > 0, mapping.containerPort > 0 else {
            throw malformed("portMappingInvalid", "a mapping needs a port of the host and one of the pod")
        }
        guard let hostAddress = HostAddress(mapping.hostIP) else {
            throw malformed("hostIPInvalid", "\(mapping.hostIP ?? "") is no IP address")
        }
        guard hostAddress.families.contains(where: network.families.contains) else {
            throw malformed("hostIPInvalid", "no pod on the network \(network.name) has an address of its family")
        }
        guard hostAddress != .one(IPAddress(.ipv6, 1)) else {
            throw malformed("hostIPInvalid", "the kernel cannot map a port of ::1; map one of 127.0.0.1")
        }
        transport = mapping.transport
        hostPort = mapping.hostPort
        containerPort = mapping.containerPort
        self.hostAddress = hostAddress
    }

    /// A mapping of a request that was found valid.
    init?(recorded mapping: PortMapping) {
        guard let hostAddress = HostAddress(mapping.hostIP) else { return nil }
        self.init(
            transport: mapping.transport, hostPort: mapping.hostPort, containerPort: mapping.containerPort,
            hostAddress: hostAddress)
    }
}

private func malformed(_ reason: String, _ message: String) -> PluginError {
    PluginError(.invalidArgument, reason, message)
}
