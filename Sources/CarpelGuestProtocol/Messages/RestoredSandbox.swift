/// What a pod's machine must learn when it goes on from the saved state of another pod's.
public struct RestoredSandbox: Codable, Sendable, Equatable {
    public var hostname: String
    /// Content of /etc/resolv.conf.
    public var resolvConf: String
    /// Content of /etc/hosts.
    public var hosts: String
    /// As in `SandboxConfiguration`.
    public var sysctls: [String: String]
    /// The host's clock, nanoseconds since 1970.
    public var clock: UInt64
    /// At least 32 random bytes of the host: without them two pods of one state would draw the same numbers.
    public var entropy: [UInt8]
    public var interfaces: [Interface]
    /// What each frozen container is called from now on.
    public var containers: [String: String]

    public init(
        hostname: String, resolvConf: String, hosts: String, sysctls: [String: String] = [:], clock: UInt64,
        entropy: [UInt8], interfaces: [Interface] = [], containers: [String: String]
    ) {
        self.hostname = hostname
        self.resolvConf = resolvConf
        self.hosts = hosts
        self.sysctls = sysctls
        self.clock = clock
        self.entropy = entropy
        self.interfaces = interfaces
        self.containers = containers
    }

    /// A network card that becomes another pod's.
    public struct Interface: Codable, Sendable, Equatable {
        /// Of the other pod's card.
        public var formerHardwareAddress: String
        public var interface: SandboxConfiguration.Interface

        public init(formerHardwareAddress: String, interface: SandboxConfiguration.Interface) {
            self.formerHardwareAddress = formerHardwareAddress
            self.interface = interface
        }
    }
}
