// Carpel's own messages about networks.

/// A network that a pod is to be on.
public struct PodNetwork: ProtoMessage {
    /// One of the configuration's `networks`; empty: `default`.
    @Field public var name: String
    /// As the guest sees it; empty: `eth0` for the first, `eth1` for the next and so on.
    @Field public var interfaceName: String
    /// Addresses that the pod must get, without a prefix; empty: the plugin chooses.
    @Field public var addresses: [String]
    /// Empty: the plugin chooses.
    @Field public var macAddress: String
    public init() {}
}

/// An address of a pod.
public struct PodAddress: ProtoMessage {
    /// With the length of its prefix.
    @Field public var address: String
    @Field public var gateway: String
    public init() {}
}

public struct PodRoute: ProtoMessage {
    @Field public var destination: String
    @Field public var gateway: String
    public init() {}
}

/// How a pod is on a network.
public struct NetworkAttachmentInfo: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var podName: String
    @Field public var podNamespace: String
    @Field public var network: String
    @Field public var plugin: String
    @Field public var interfaceName: String
    /// The tap device on the node; empty while the plugin is at work.
    @Field public var device: String
    @Field public var macAddress: String
    @Field public var mtu: Int32
    @Field public var addresses: [PodAddress]
    @Field public var routes: [PodRoute]
    @Field public var portMappings: [PortMapping]
    public init() {}
}

public struct NetworkInfo: ProtoMessage {
    @Field public var name: String
    @Field public var plugin: String
    @Field public var ready: Bool
    /// Why it is not ready.
    @Field public var reason: String
    @Field public var message: String
    @Field public var attachments: [NetworkAttachmentInfo]
    public init() {}
}

public struct ListNetworksRequest: ProtoMessage {
    public init() {}
}

public struct ListNetworksResponse: ProtoMessage {
    /// By name.
    @Field public var networks: [NetworkInfo]
    public init() {}
}

/// Puts a pod that runs on one more network, by plugging a card into its machine.
public struct AttachNetworkRequest: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var network: PodNetwork?
    public init() {}
}

public struct AttachNetworkResponse: ProtoMessage {
    @Field public var attachment: NetworkAttachmentInfo?
    public init() {}
}

/// Takes a pod off a network. A card that is not there is fine; the pod's first one stays.
public struct DetachNetworkRequest: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var interfaceName: String
    public init() {}
}
