/// The pod as the guest sees it.
public struct SandboxConfiguration: Codable, Sendable, Equatable {
    public var hostname: String
    /// Content of /etc/resolv.conf.
    public var resolvConf: String
    /// Content of /etc/hosts.
    public var hosts: String
    /// `net.ipv4.ip_forward` to value; applied in the machine's own namespaces.
    public var sysctls: [String: String]
    /// The host's clock, nanoseconds since 1970.
    public var clock: UInt64
    /// At least 32 random bytes of the host, mixed into the guest's generator before anything runs.
    public var entropy: [UInt8]
    /// The serial of the formatted (ext4) scratch disk that holds the containers' writable layers.
    public var scratchDisk: String
    /// The pod's network cards. Those that are not named stay down.
    public var interfaces: [Interface]?
    /// The tag of the machine's virtiofs device, if it has one.
    public var sharedFolder: String?

    public init(
        hostname: String, resolvConf: String, hosts: String, sysctls: [String: String] = [:], clock: UInt64,
        entropy: [UInt8], scratchDisk: String, interfaces: [Interface]? = nil, sharedFolder: String? = nil
    ) {
        self.hostname = hostname
        self.resolvConf = resolvConf
        self.hosts = hosts
        self.sysctls = sysctls
        self.clock = clock
        self.entropy = entropy
        self.scratchDisk = scratchDisk
        self.interfaces = interfaces
        self.sharedFolder = sharedFolder
    }

    /// A network card of the machine.
    public struct Interface: Codable, Sendable, Equatable {
        /// By which the card is found: `52:54:00:12:34:56`.
        public var hardwareAddress: String
        /// As the pod sees it, such as `eth0`.
        public var name: String
        public var mtu: UInt32?
        /// With the length of the prefix: `10.0.0.2/24`, `fd00::2/64`.
        public var addresses: [String]
        public var routes: [Route]
        public init(
            hardwareAddress: String, name: String, mtu: UInt32? = nil, addresses: [String], routes: [Route] = []
        ) {
            self.hardwareAddress = hardwareAddress
            self.name = name
            self.mtu = mtu
            self.addresses = addresses
            self.routes = routes
        }
    }

    public struct Route: Codable, Sendable, Equatable {
        /// `0.0.0.0/0` or `::/0` for the default route.
        public var destination: String
        /// Reached through this card, whatever its own address; nil if the destination is on the link itself.
        public var gateway: String?
        public init(destination: String, gateway: String? = nil) {
            self.destination = destination
            self.gateway = gateway
        }
    }
}
