/// Puts a pod on a network: CNI's ADD. Repeated for a pod and interface that are there, it answers the same.
public struct NetworkAddRequest: Codable, Sendable, Hashable {
    public var pod: PodIdentity
    /// One of the networks that the plugin's configuration names; `default` where it names none.
    public var network: String
    /// What the guest calls the card: at most 15 bytes, such as `eth0`.
    public var interfaceName: String
    /// Addresses that the pod must get, as `10.88.0.7` or `fd00::7`. Empty: the plugin chooses.
    public var addresses: [String]
    /// Six hexadecimal bytes separated by colons; nil: the plugin chooses.
    public var macAddress: String?
    public var portMappings: [PortMapping]
    public var bandwidth: Bandwidth?

    public init(
        pod: PodIdentity, network: String = "default", interfaceName: String = "eth0", addresses: [String] = [],
        macAddress: String? = nil, portMappings: [PortMapping] = [], bandwidth: Bandwidth? = nil
    ) {
        self.pod = pod
        self.network = network
        self.interfaceName = interfaceName
        self.addresses = addresses
        self.macAddress = macAddress
        self.portMappings = portMappings
        self.bandwidth = bandwidth
    }
}

/// How a pod is on a network: CNI's result, with the tap device in the place of the interface in a namespace.
public struct NetworkAttachment: Codable, Sendable, Hashable {
    /// A persistent tap device in the host's network namespace that the machine's group may open; at most 15 bytes.
    public var device: String
    /// What the guest's card must have.
    public var macAddress: String
    /// Bytes.
    public var mtu: Int
    public var addresses: [IPConfiguration]
    public var routes: [Route]
    public var dns: DNS?

    public init(
        device: String, macAddress: String, mtu: Int, addresses: [IPConfiguration], routes: [Route] = [],
        dns: DNS? = nil
    ) {
        self.device = device
        self.macAddress = macAddress
        self.mtu = mtu
        self.addresses = addresses
        self.routes = routes
        self.dns = dns
    }
}

/// Takes a pod off a network: CNI's DEL. A pod that is not on it is fine. Answer: ``NoMembers``.
public struct NetworkDeleteRequest: Codable, Sendable, Hashable {
    /// The pod's id.
    public var podID: String
    public var network: String
    public var interfaceName: String

    public init(podID: String, network: String = "default", interfaceName: String = "eth0") {
        self.podID = podID
        self.network = network
        self.interfaceName = interfaceName
    }
}

/// Asks whether what ADD answered still holds: CNI's CHECK. Answer: ``NoMembers``, or an error that says what is missing.
public struct NetworkCheckRequest: Codable, Sendable, Hashable {
    public var podID: String
    public var network: String
    public var interfaceName: String
    public var attachment: NetworkAttachment

    public init(podID: String, network: String, interfaceName: String, attachment: NetworkAttachment) {
        self.podID = podID
        self.network = network
        self.interfaceName = interfaceName
        self.attachment = attachment
    }
}

/// Takes everything off that is not listed: CNI's GC.
public struct NetworkCollectRequest: Codable, Sendable, Hashable {
    /// All that is in use.
    public var valid: [NetworkDeleteRequest]

    public init(valid: [NetworkDeleteRequest]) { self.valid = valid }
}

public struct NetworkCollectResponse: Codable, Sendable, Hashable {
    /// What has been taken off.
    public var removed: [NetworkDeleteRequest]

    public init(removed: [NetworkDeleteRequest]) { self.removed = removed }
}

/// An address of a pod.
public struct IPConfiguration: Codable, Sendable, Hashable {
    /// With the length of its prefix: `10.88.0.5/16`.
    public var address: String
    /// The router of the address' network, if there is one.
    public var gateway: String?

    public init(address: String, gateway: String? = nil) {
        self.address = address
        self.gateway = gateway
    }
}

public struct Route: Codable, Sendable, Hashable {
    /// With the length of its prefix: `0.0.0.0/0` is every address.
    public var destination: String
    /// nil: the destination is on the link.
    public var gateway: String?

    public init(destination: String, gateway: String? = nil) {
        self.destination = destination
        self.gateway = gateway
    }
}

public struct DNS: Codable, Sendable, Hashable {
    public var servers: [String]
    public var searches: [String]
    public var options: [String]

    public init(servers: [String] = [], searches: [String] = [], options: [String] = []) {
        self.servers = servers
        self.searches = searches
        self.options = options
    }
}

/// A port of the host whose traffic goes to a port of the pod.
public struct PortMapping: Codable, Sendable, Hashable {
    public enum TransportProtocol: String, Codable, Sendable, CaseIterable {
        case tcp, udp, sctp
    }

    public var transport: TransportProtocol
    public var hostPort: UInt16
    public var containerPort: UInt16
    /// The host's address to listen on; nil: all of them.
    public var hostIP: String?

    public init(transport: TransportProtocol, hostPort: UInt16, containerPort: UInt16, hostIP: String? = nil) {
        self.transport = transport
        self.hostPort = hostPort
        self.containerPort = containerPort
        self.hostIP = hostIP
    }
}

/// The most that a pod may receive and send. Kubernetes' annotations `kubernetes.io/ingress-bandwidth` and
/// `kubernetes.io/egress-bandwidth`; the bursts are the plugin's.
public struct Bandwidth: Codable, Sendable, Hashable {
    /// To the pod, in bits a second.
    public var ingressBitsPerSecond: UInt64?
    /// From the pod, in bits a second.
    public var egressBitsPerSecond: UInt64?

    public init(ingressBitsPerSecond: UInt64? = nil, egressBitsPerSecond: UInt64? = nil) {
        self.ingressBitsPerSecond = ingressBitsPerSecond
        self.egressBitsPerSecond = egressBitsPerSecond
    }
}
