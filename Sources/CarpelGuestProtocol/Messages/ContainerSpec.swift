/// A container, complete: everything that needs the image or CRI has been decided by the host.
public struct ContainerSpec: Codable, Sendable, Equatable {
    public var id: String
    /// Serials of the EROFS disks, bottom layer first.
    public var layers: [String]
    public var readOnlyRoot = false
    public var process: ProcessSpec
    public var namespaces = Namespaces()
    public var resources = ContainerResources()
    public var oomScoreAdjustment: Int32 = 0
    public var devices: [Device] = []
    /// All devices of the machine, /sys and cgroups writable.
    public var privileged = false
    public var maskedPaths: [String] = []
    public var readOnlyPaths: [String] = []
    public var mounts: [Mount] = []
    /// Keeps the container's stdin open for later attachments instead of /dev/null.
    public var stdin = false

    public init(id: String, layers: [String], process: ProcessSpec) {
        self.id = id
        self.layers = layers
        self.process = process
    }

    public struct Namespaces: Codable, Sendable, Equatable {
        public enum Scope: Codable, Sendable, Equatable {
            case container
            /// Shared by the pod's containers, and apart from the agent's.
            case pod
            /// That of another container of the pod.
            case target(container: String)
        }
        public var pid = Scope.container
        public var ipc = Scope.pod
        public init() {}
    }

    public struct Device: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable { case character, block }
        public var path: String
        public var kind: Kind
        public var major: UInt32
        public var minor: UInt32
        /// Permission bits.
        public var mode: UInt32
        public var uid: UInt32
        public var gid: UInt32
        /// Any of `r`, `w`, `m`.
        public var access: String
        /// The block volume whose disk it is: the agent fills in major and minor, and takes `w` out of the access
        /// where the volume is read-only.
        public var volume: String?
        public init(
            path: String, kind: Kind, major: UInt32 = 0, minor: UInt32 = 0, mode: UInt32 = 0o666, uid: UInt32 = 0,
            gid: UInt32 = 0, access: String = "rwm", volume: String? = nil
        ) {
            self.path = path
            self.kind = kind
            self.major = major
            self.minor = minor
            self.mode = mode
            self.uid = uid
            self.gid = gid
            self.access = access
            self.volume = volume
        }
    }
}
