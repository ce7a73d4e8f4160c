public struct GuestState: Codable, Sendable, Equatable {
    public var agentVersion: String
    /// False until `configure` has succeeded.
    public var configured: Bool
    public var containers: [Container]
    /// The agent's own resident memory.
    public var agentResidentBytes: UInt64?
    /// In the order of their names.
    public var volumes: [Volume]?
    /// The network cards that have been set up, as they were asked for, in the order of their names.
    public var interfaces: [SandboxConfiguration.Interface]?
    public init(
        agentVersion: String, configured: Bool, containers: [Container], agentResidentBytes: UInt64? = nil,
        volumes: [Volume]? = nil, interfaces: [SandboxConfiguration.Interface]? = nil
    ) {
        self.agentVersion = agentVersion
        self.configured = configured
        self.containers = containers
        self.agentResidentBytes = agentResidentBytes
        self.volumes = volumes
        self.interfaces = interfaces
    }

    public struct Volume: Codable, Sendable, Equatable {
        public var volume: GuestVolume
        public var isFrozen: Bool
        public init(volume: GuestVolume, isFrozen: Bool) {
            self.volume = volume
            self.isFrozen = isFrozen
        }
    }

    /// Numbers only: the names are in the image.
    public struct ProcessIdentity: Codable, Sendable, Equatable {
        public var uid: UInt32
        public var gid: UInt32
        public var groups: [UInt32]
        public init(uid: UInt32, gid: UInt32, groups: [UInt32]) {
            self.uid = uid
            self.gid = gid
            self.groups = groups
        }
    }

    public struct Container: Codable, Sendable, Equatable {
        public enum Phase: Codable, Sendable, Equatable {
            case created
            case running(pid: Int32, since: UInt64)
            case exited(ExitStatus, started: UInt64)
        }
        public var id: String
        public var phase: Phase
        /// The sequence number that the next output record will get.
        public var nextOutput: UInt64
        /// True between `freezeContainers` and `thawContainers`.
        public var isFrozen: Bool?
        /// Who its first process is, once it has been started.
        public var user: ProcessIdentity?
        public init(id: String, phase: Phase, nextOutput: UInt64, isFrozen: Bool? = nil) {
            self.id = id
            self.phase = phase
            self.nextOutput = nextOutput
            self.isFrozen = isFrozen
        }
    }
}
