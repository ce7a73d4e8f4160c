// Both sides read what an older or newer other side has written: keys that they do not know are ignored,
// so that a property that is added later must be optional.

/// What the host asks of the agent. One request opens a stream; the answer comes back on it.
public enum GuestRequest: Codable, Sendable, Equatable {
    /// Must be the first request after a boot or a clone; a repetition with the same content does nothing.
    case configure(SandboxConfiguration)
    /// Mounts the container's root and makes its cgroup. Repeating it for an existing id fails with `alreadyExists`.
    case createContainer(ContainerSpec)
    /// Starts the container's first process. Answers once exec has succeeded or failed.
    case startContainer(id: String)
    /// Sends a signal to the container's first process, or to every process in it.
    case signalContainer(id: String, signal: Int32, everyProcess: Bool)
    /// Kills what is left of the container, unmounts its root, removes its cgroup. Unknown ids succeed.
    case removeContainer(id: String)
    /// Starts a process in a running container. The stream then carries its bytes until its exit.
    case exec(ExecSpec)
    /// Sends a signal to an exec's process and the descendants in its process group.
    case signalExec(id: String, signal: Int32)
    /// Sets the size of an exec's terminal.
    case resizeExec(id: String, rows: UInt16, columns: UInt16)
    /// Sets the size of the terminal of a container's first process.
    case resizeContainer(id: String, rows: UInt16, columns: UInt16)
    /// Opens a stream whose data the container reads as its stdin. Only one at a time.
    /// The stream's end closes the stdin if `closeAtEnd`, and otherwise leaves it to the next attachment.
    case attachInput(container: String, closeAtEnd: Bool)
    /// Changes all of the limits that are given or none. `memoryInUse` if the container uses more than a new limit.
    case updateResources(id: String, resources: ContainerResources)
    /// Follows a container's output from the record `from` on; the stream carries `OutputRecord`s.
    case followOutput(container: String, from: UInt64)
    /// The host has stored every record below `before`: the agent may forget them.
    case releaseOutput(container: String, before: UInt64)
    /// Prepares a volume. A repetition with the same content does nothing; another content fails with `alreadyExists`.
    case addVolume(GuestVolume)
    /// Unmounts a volume and lets go of its disk. Unknown names succeed; `busy` while a container that runs has it,
    /// or it is frozen.
    case removeVolume(name: String)
    /// Grows the volume's file system to its disk, which has become longer.
    case growVolume(name: String)
    /// Writes everything to the volume's disk and holds back all changes, until `thawVolume` or the time is up.
    /// Repeating it starts the time anew.
    case freezeVolume(name: String, timeoutSeconds: UInt32)
    /// Fails with `invalidState` if the volume has thawed by itself meanwhile: what was read of its disk is worthless.
    case thawVolume(name: String)
    case volumeUsage(name: String)
    /// Sets up network cards, those of `configure` or others, once the machine has them.
    case configureInterfaces([SandboxConfiguration.Interface])
    /// Sets a network card down before it is unplugged. Unknown addresses succeed.
    case removeInterface(hardwareAddress: String)
    /// Connects to a TCP port of the pod's own, at 127.0.0.1 and then at ::1. The stream then carries the connection's
    /// bytes. Fails with `connectionRefused` if nobody listens.
    case connect(port: UInt16)
    /// What the pod and its containers use. Writable layers are measured in the background.
    case stats
    /// Takes the CPUs and the memory that the machine has got into use, and answers when it has as much as said:
    /// `memoryBytes` is the whole machine's.
    case takeUpHardware(virtualCPUs: Int, memoryBytes: UInt64)
    /// Limits all containers together.
    case updatePodResources(ContainerResources)
    /// Stops every process of these containers where it is, until `thawContainers`. Answers once all of them stand
    /// still; if they do not, none is left frozen.
    case freezeContainers(ids: [String])
    /// Lets frozen containers go on, but for those that wait for `startContainer` since `restore`. Sets the clock:
    /// the machine may have been paused meanwhile.
    case thawContainers(clock: UInt64)
    /// Makes a pod of its own of a machine that goes on from the saved state of another pod's. Its containers stay
    /// frozen until they are started.
    case restore(RestoredSandbox)
    /// Mounts a virtiofs device that the machine was given after its start. Repeating it does nothing.
    case mountSharedFolder(tag: String)
    /// Lets go of the virtiofs device, before it is unplugged. `busy` while a container has something of it mounted.
    case unmountSharedFolder
    case state
    /// Kills everything, syncs the disks and powers the machine off.
    case shutdown
}

public enum GuestResponse: Codable, Sendable, Equatable {
    case done
    case started(pid: Int32, at: UInt64)
    /// The second answer to `exec`, behind the last of its output.
    case exited(ExitStatus)
    case state(GuestState)
    case volumeUsage(VolumeUsage)
    case stats(GuestStats)
    /// To `freezeContainers`: the sequence number that the next output record of each container will get.
    case frozen(nextOutput: [String: UInt64])
    case failed(GuestFailure)
}

/// What the agent tells without having been asked. Events that nobody hears are not kept:
/// after a reconnect the host asks for `state`.
public enum GuestEvent: Codable, Sendable, Equatable {
    case containerExited(id: String, ExitStatus)
    case containerOutOfMemory(id: String)
}

/// Why the agent could not do what it was asked.
public struct GuestFailure: Error, Codable, Sendable, Equatable {
    public enum Reason: String, Codable, Sendable {
        case alreadyExists, notFound, invalidState, invalidArgument
        case commandNotFound, commandNotExecutable, userNotFound, groupNotFound, workingDirectoryInvalid
        case diskMissing, mountFailed, cgroupFailed, sysctlFailed, noSpace, outOfMemory
        /// Somebody still uses it.
        case busy
        case connectionRefused, connectionReset
        /// More memory is used, and cannot be taken back, than the new limit allows.
        case memoryInUse
        /// A request of a newer host that this agent does not know.
        case unknownRequest
        case system

        /// A reason of a newer agent reads as `system`.
        public init(from decoder: any Decoder) throws {
            self = Reason(rawValue: try decoder.singleValueContainer().decode(String.self)) ?? .system
        }
    }
    public var reason: Reason
    /// The step that failed and on what, for people.
    public var message: String
    /// 0 if no system call failed.
    public var errno: Int32

    public init(_ reason: Reason, _ message: String, errno: Int32 = 0) {
        self.reason = reason
        self.message = message
        self.errno = errno
    }
}

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

/// cgroup v2 values. Nil leaves the kernel's default.
public struct ContainerResources: Codable, Sendable, Equatable {
    /// cpu.weight, 1 to 10000.
    public var cpuWeight: UInt64?
    /// cpu.max: microseconds of each `cpuPeriod`.
    public var cpuQuota: Int64?
    public var cpuPeriod: UInt64?
    public var cpus: String?
    public var memoryNodes: String?
    /// memory.max, bytes.
    public var memoryLimit: Int64?
    /// memory.swap.max, bytes.
    public var swapLimit: Int64?
    public var processLimit: Int64?
    /// Other cgroup v2 files by name, as CRI's `unified`.
    public var unified: [String: String] = [:]
    /// oom_score_adj of the processes that run, for an update.
    public var oomScoreAdjustment: Int32?
    public init() {}
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

/// Something that a container wrote.
public struct OutputRecord: Codable, Sendable, Equatable {
    public enum Channel: UInt8, Codable, Sendable { case stdout = 1, stderr = 2 }
    /// Counts up by one from 0; a gap says that the agent's buffer overflowed while the host was away.
    public var sequence: UInt64
    public var channel: Channel
    /// When the agent read it: nanoseconds since 1970.
    public var time: UInt64
    public var bytes: [UInt8]
    /// How many bytes the container has written before these, on both channels.
    public var offset: UInt64?
    public init(sequence: UInt64, channel: Channel, time: UInt64, bytes: [UInt8], offset: UInt64? = nil) {
        self.sequence = sequence
        self.channel = channel
        self.time = time
        self.bytes = bytes
        self.offset = offset
    }
}

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
