public struct VersionRequest: ProtoMessage {
    @Field public var version: String
    public init() {}
}

public struct VersionResponse: ProtoMessage {
    @Field public var version: String
    @Field public var runtimeName: String
    @Field public var runtimeVersion: String
    @Field public var runtimeApiVersion: String
    public init() {}
}

public struct StatusRequest: ProtoMessage {
    @Field public var verbose: Bool
    public init() {}
}

public struct RuntimeCondition: ProtoMessage {
    @Field public var type: String
    @Field public var status: Bool
    /// A stable word.
    @Field public var reason: String
    @Field public var message: String
    public init() {}
}

public struct RuntimeStatus: ProtoMessage {
    /// `RuntimeReady` and `NetworkReady` are always there.
    @Field public var conditions: [RuntimeCondition]
    public init() {}
}

public struct RuntimeHandlerFeatures: ProtoMessage {
    @Field public var recursiveReadOnlyMounts: Bool
    @Field public var userNamespaces: Bool
    public init() {}
}

public struct RuntimeHandler: ProtoMessage {
    @Field public var name: String
    @Field public var features: RuntimeHandlerFeatures?
    public init() {}
}

public struct RuntimeFeatures: ProtoMessage {
    @Field public var supplementalGroupsPolicy: Bool
    @Field public var userNamespacesHostNetwork: Bool
    @Field public var mountOptions: Bool
    public init() {}
}

public struct StatusResponse: ProtoMessage {
    @Field public var status: RuntimeStatus?
    /// With `verbose`: JSON texts by name.
    @Field public var info: [String: String]
    @Field public var runtimeHandlers: [RuntimeHandler]
    @Field public var features: RuntimeFeatures?
    public init() {}
}

/// Carpel's own: everything that a pod's start needs on this node, checked now.
public struct DoctorRequest: ProtoMessage {
    public init() {}
}

public struct DoctorResponse: ProtoMessage {
    @Field public var checks: [DoctorCheck]
    public init() {}
}

public struct DoctorCheck: ProtoMessage {
    public enum Outcome: String, ProtoEnum {
        case PASSED, WARNING, FAILED
    }
    @Field public var name: String
    @Field public var outcome: Outcome
    /// What was found.
    @Field public var finding: String
    /// What to do about it; empty if nothing.
    @Field public var fix: String
    public init() {}
}
