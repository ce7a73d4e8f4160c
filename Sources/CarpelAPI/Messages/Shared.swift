import Foundation

// Messages and fields: CRI v1, https://github.com/kubernetes/cri-api, pkg/apis/runtime/v1/api.proto.
// Times are nanoseconds since 1970 unless the field says otherwise.

/// A number that can be absent.
public struct Int64Value: ProtoMessage {
    @Field public var value: Int64
    public init() {}
}

/// A number that can be absent.
public struct UInt64Value: ProtoMessage {
    @Field public var value: UInt64
    public init() {}
}

public struct KeyValue: ProtoMessage {
    @Field public var key: String
    /// UTF-8; base64 in JSON, since CRI declares `bytes`.
    @Field public var value: Data
    public init() {}
}

/// A message of CRI of which Carpel honours nothing; it exists so that its presence can be refused by name.
public struct UnsupportedMessage: ProtoMessage {
    public init() {}
    public init(from decoder: any Decoder) throws {}
}

public enum NamespaceMode: String, ProtoEnum {
    case POD, CONTAINER, NODE, TARGET
}

public struct IDMapping: ProtoMessage {
    @Field public var hostId: UInt32
    @Field public var containerId: UInt32
    @Field public var length: UInt32
    public init() {}
}

public struct UserNamespace: ProtoMessage {
    @Field public var mode: NamespaceMode
    @Field public var uids: [IDMapping]
    @Field public var gids: [IDMapping]
    public init() {}
}

public struct NamespaceOption: ProtoMessage {
    @Field public var network: NamespaceMode
    @Field public var pid: NamespaceMode
    @Field public var ipc: NamespaceMode
    /// The container whose pid namespace to join where `pid` is `TARGET`.
    @Field public var targetId: String
    @Field public var usernsOptions: UserNamespace?
    public init() {}
}

public enum SupplementalGroupsPolicy: String, ProtoEnum {
    case Merge, Strict
}

public struct SecurityProfile: ProtoMessage {
    public enum ProfileType: String, ProtoEnum {
        case RuntimeDefault, Unconfined, Localhost
    }
    @Field public var profileType: ProfileType
    /// The profile's absolute path on the node where the type is `Localhost`.
    @Field public var localhostRef: String
    public init() {}
}

public struct SELinuxOption: ProtoMessage {
    @Field public var user: String
    @Field public var role: String
    @Field public var type: String
    @Field public var level: String
    public init() {}
}

public struct HugepageLimit: ProtoMessage {
    @Field public var pageSize: String
    @Field public var limit: UInt64
    public init() {}
}

public struct LinuxContainerResources: ProtoMessage {
    /// Microseconds.
    @Field public var cpuPeriod: Int64
    /// Microseconds of each period.
    @Field public var cpuQuota: Int64
    @Field public var cpuShares: Int64
    @Field public var memoryLimitInBytes: Int64
    @Field public var oomScoreAdj: Int64
    @Field public var cpusetCpus: String
    @Field public var cpusetMems: String
    @Field public var hugepageLimits: [HugepageLimit]
    /// cgroup v2 files by name.
    @Field public var unified: [String: String]
    @Field public var memorySwapLimitInBytes: Int64
    public init() {}
}
