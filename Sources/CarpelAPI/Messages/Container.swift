import Foundation

public struct ContainerMetadata: ProtoMessage {
    @Field public var name: String
    @Field public var attempt: UInt32
    public init() {}
}

public enum MountPropagation: String, ProtoEnum {
    case PROPAGATION_PRIVATE, PROPAGATION_HOST_TO_CONTAINER, PROPAGATION_BIDIRECTIONAL
}

public struct Mount: ProtoMessage {
    @Field public var containerPath: String
    @Field public var hostPath: String
    @Field public var readonly: Bool
    @Field public var selinuxRelabel: Bool
    @Field public var propagation: MountPropagation
    @Field public var uidMappings: [IDMapping]
    @Field public var gidMappings: [IDMapping]
    @Field public var recursiveReadOnly: Bool
    @Field public var image: ImageSpec?
    @Field public var imageSubPath: String
    @Field public var mountOptions: [String]
    /// Carpel's own, beside CRI.
    @Field public var carpel: MountExtension?
    public init() {}
}

public struct Device: ProtoMessage {
    @Field public var containerPath: String
    @Field public var hostPath: String
    /// Any of `r`, `w`, `m`.
    @Field public var permissions: String
    /// Carpel's own, beside CRI.
    @Field public var carpel: DeviceExtension?
    public init() {}
}

public struct CDIDevice: ProtoMessage {
    @Field public var name: String
    public init() {}
}

/// Names with or without `CAP_`, or `ALL`.
public struct Capability: ProtoMessage {
    @Field public var addCapabilities: [String]
    @Field public var dropCapabilities: [String]
    @Field public var addAmbientCapabilities: [String]
    public init() {}
}

public struct LinuxContainerSecurityContext: ProtoMessage {
    @Field public var capabilities: Capability?
    @Field public var privileged: Bool
    @Field public var namespaceOptions: NamespaceOption?
    @Field public var selinuxOptions: SELinuxOption?
    @Field public var runAsUser: Int64Value?
    @Field public var runAsGroup: Int64Value?
    @Field public var runAsUsername: String
    @Field public var readonlyRootfs: Bool
    @Field public var supplementalGroups: [Int64]
    @Field public var supplementalGroupsPolicy: SupplementalGroupsPolicy
    @Field public var noNewPrivs: Bool
    @Field public var maskedPaths: [String]
    @Field public var readonlyPaths: [String]
    @Field public var seccomp: SecurityProfile?
    @Field public var apparmor: SecurityProfile?
    @Field public var apparmorProfile: String
    @Field public var seccompProfilePath: String
    public init() {}
}

public struct LinuxContainerConfig: ProtoMessage {
    @Field public var resources: LinuxContainerResources?
    @Field public var securityContext: LinuxContainerSecurityContext?
    public init() {}
}

public struct ContainerConfig: ProtoMessage {
    @Field public var metadata: ContainerMetadata?
    @Field public var image: ImageSpec?
    /// Replaces the image's entrypoint; the image's cmd is dropped with it.
    @Field public var command: [String]
    /// Replaces the image's cmd.
    @Field public var args: [String]
    @Field public var workingDir: String
    @Field public var envs: [KeyValue]
    @Field public var mounts: [Mount]
    @Field public var devices: [Device]
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    /// Relative to the sandbox's log directory.
    @Field public var logPath: String
    @Field public var stdin: Bool
    @Field public var stdinOnce: Bool
    @Field public var tty: Bool
    @Field public var linux: LinuxContainerConfig?
    @Field public var windows: UnsupportedMessage?
    @Field public var CDIDevices: [CDIDevice]
    @Field public var stopSignal: Signal
    public init() {}
}

public struct CreateContainerRequest: ProtoMessage {
    @Field public var podSandboxId: String
    @Field public var config: ContainerConfig?
    /// The same as in RunPodSandbox; Carpel uses what it stored then.
    @Field public var sandboxConfig: PodSandboxConfig?
    public init() {}
}

public struct CreateContainerResponse: ProtoMessage {
    @Field public var containerId: String
    public init() {}
}

public struct StartContainerRequest: ProtoMessage {
    @Field public var containerId: String
    public init() {}
}

public struct StopContainerRequest: ProtoMessage {
    @Field public var containerId: String
    /// Seconds between the stop signal and SIGKILL; 0 kills at once.
    @Field public var timeout: Int64
    public init() {}
}

public struct RemoveContainerRequest: ProtoMessage {
    @Field public var containerId: String
    public init() {}
}

public enum ContainerState: String, ProtoEnum {
    case CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED, CONTAINER_UNKNOWN
}

public struct ContainerStateValue: ProtoMessage {
    @Field public var state: ContainerState
    public init() {}
}

public struct ContainerFilter: ProtoMessage {
    @Field public var id: String
    @Field public var state: ContainerStateValue?
    @Field public var podSandboxId: String
    @Field public var labelSelector: [String: String]
    public init() {}
}

public struct ListContainersRequest: ProtoMessage {
    @Field public var filter: ContainerFilter?
    public init() {}
}

public struct ContainerItem: ProtoMessage {
    @Field public var id: String
    @Field public var podSandboxId: String
    @Field public var metadata: ContainerMetadata?
    @Field public var image: ImageSpec?
    @Field public var imageRef: String
    @Field public var state: ContainerState
    @Field public var createdAt: Int64
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    @Field public var imageId: String
    public init() {}
}

public struct ListContainersResponse: ProtoMessage {
    @Field public var containers: [ContainerItem]
    public init() {}
}

public struct ContainerStatusRequest: ProtoMessage {
    @Field public var containerId: String
    @Field public var verbose: Bool
    public init() {}
}

/// CRI's `ContainerResources`.
public struct ContainerResourceStatus: ProtoMessage {
    @Field public var linux: LinuxContainerResources?
    public init() {}
}

/// Who the first process is, as the kernel sees it. Source: CRI's ContainerUser.
public struct LinuxContainerUser: ProtoMessage {
    @Field public var uid: Int64
    @Field public var gid: Int64
    /// Those of the image too, where the policy is to merge them.
    @Field public var supplementalGroups: [Int64]
    public init() {}
}

public struct ContainerUser: ProtoMessage {
    @Field public var linux: LinuxContainerUser?
    public init() {}
}

public struct ContainerStatus: ProtoMessage {
    @Field public var id: String
    @Field public var metadata: ContainerMetadata?
    @Field public var state: ContainerState
    @Field public var createdAt: Int64
    @Field public var startedAt: Int64
    @Field public var finishedAt: Int64
    /// Of the process, or 128 + the signal that ended it; 127 and 126 for a command that is not there or not executable.
    @Field public var exitCode: Int32
    @Field public var image: ImageSpec?
    @Field public var imageRef: String
    /// `Completed`, `Error`, `OOMKilled`, `StartError` or `MachineFailed`.
    @Field public var reason: String
    @Field public var message: String
    @Field public var labels: [String: String]
    @Field public var annotations: [String: String]
    @Field public var mounts: [Mount]
    @Field public var logPath: String
    @Field public var resources: ContainerResourceStatus?
    @Field public var imageId: String
    /// Once it has been started.
    @Field public var user: ContainerUser?
    @Field public var stopSignal: Signal
    public init() {}
}

public struct ContainerStatusResponse: ProtoMessage {
    @Field public var status: ContainerStatus?
    /// With `verbose`: JSON texts by name. The values of environments are only for who may also change things.
    @Field public var info: [String: String]
    public init() {}
}

public struct ExecSyncRequest: ProtoMessage {
    @Field public var containerId: String
    @Field public var cmd: [String]
    /// Seconds until the command is killed; 0 means no limit.
    @Field public var timeout: Int64
    public init() {}
}

public struct ExecSyncResponse: ProtoMessage {
    /// At most 16 MiB of each; more is cut off.
    @Field public var stdout: Data
    @Field public var stderr: Data
    @Field public var exitCode: Int32
    public init() {}
}
