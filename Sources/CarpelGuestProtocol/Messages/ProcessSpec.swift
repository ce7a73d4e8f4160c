/// A process to start, a container's first one or an exec.
public struct ProcessSpec: Codable, Sendable, Equatable {
    /// Not empty; the first is looked up in the environment's PATH unless it holds a slash.
    public var arguments: [String]
    /// `NAME=value`. HOME is added from the user database if absent.
    public var environment: [String]
    public var workingDirectory = "/"
    public var user = User()
    public var terminal = false
    /// Bit n stands for capability number n (linux/capability.h); ambient ones are never set.
    public var capabilities: UInt64 = 0
    public var noNewPrivileges = false
    /// `struct sock_filter`s as they lie in memory, or empty for none.
    public var seccompProgram: [UInt8] = []
    public var resourceLimits: [ResourceLimit] = []

    public init(arguments: [String], environment: [String] = []) {
        self.arguments = arguments
        self.environment = environment
    }

    public struct User: Codable, Sendable, Equatable {
        /// As in an image's config: name or number, optionally `:` and a group's name or number. Empty: root.
        public var name = ""
        /// Overrides the group that `name` leads to.
        public var group: UInt32?
        public var additionalGroups: [UInt32] = []
        /// Also the groups that the image's /etc/group lists for the user (CRI's policy Merge).
        public var mergeImageGroups = true
        public init() {}
    }

    /// setrlimit(2).
    public struct ResourceLimit: Codable, Sendable, Equatable {
        /// RLIMIT_… as the kernel numbers it.
        public var resource: Int32
        public var soft: UInt64
        public var hard: UInt64
        public init(resource: Int32, soft: UInt64, hard: UInt64) {
            self.resource = resource
            self.soft = soft
            self.hard = hard
        }
    }
}

public struct ExecSpec: Codable, Sendable, Equatable {
    /// Chosen by the host, unique in the machine.
    public var id: String
    public var container: String
    /// Capabilities, filter and limits as for a container's process; the user is the container's unless named.
    public var process: ProcessSpec
    /// False: the process reads /dev/null.
    public var stdin: Bool
    public init(id: String, container: String, process: ProcessSpec, stdin: Bool) {
        self.id = id
        self.container = container
        self.process = process
        self.stdin = stdin
    }
}

public struct ExitStatus: Codable, Sendable, Equatable {
    /// The exit code, or 128 + the signal.
    public var code: Int32
    /// Guest's clock, nanoseconds since 1970.
    public var at: UInt64
    public var outOfMemory: Bool
    public init(code: Int32, at: UInt64, outOfMemory: Bool = false) {
        self.code = code
        self.at = at
        self.outOfMemory = outOfMemory
    }
}
