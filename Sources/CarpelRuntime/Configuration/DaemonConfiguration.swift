import CarpelCore
import CarpelImages
import CarpelMachines
import Foundation

/// The daemon's configuration file (YAML), every key of which has a default.
public struct DaemonConfiguration: Codable, Sendable {
    /// The only version so far.
    public static let currentVersion = 1

    /// The version of the file's format; a file of another version is refused.
    public var version = DaemonConfiguration.currentVersion
    public var guest = GuestConfiguration()
    public var machines = MachinesConfiguration()
    public var images = ImagesConfiguration()
    public var pods = PodsConfiguration()
    public var plugins = PluginsConfiguration()
    /// The plugin that serves each network. A pod that names no network is on `default`; where that is
    /// ``noNetwork`` it has its loopback only.
    public var networks = ["default": "network-bridge"]
    /// The plugin whose volumes are meant where none is named.
    public var storage = "storage-local"
    public var logs = LogsConfiguration()
    public var socket = SocketConfiguration()

    public static let noNetwork = "none"

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case version, guest, machines, images, pods, plugins, networks, storage, logs, socket
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        version = try values.decode(Int.self, forKey: .version)
        guest = try values.decodeIfPresent(GuestConfiguration.self, forKey: .guest) ?? guest
        machines = try values.decodeIfPresent(MachinesConfiguration.self, forKey: .machines) ?? machines
        images = try values.decodeIfPresent(ImagesConfiguration.self, forKey: .images) ?? images
        pods = try values.decodeIfPresent(PodsConfiguration.self, forKey: .pods) ?? pods
        plugins = try values.decodeIfPresent(PluginsConfiguration.self, forKey: .plugins) ?? plugins
        networks = try values.decodeIfPresent([String: String].self, forKey: .networks) ?? networks
        storage = try values.decodeIfPresent(String.self, forKey: .storage) ?? storage
        logs = try values.decodeIfPresent(LogsConfiguration.self, forKey: .logs) ?? logs
        socket = try values.decodeIfPresent(SocketConfiguration.self, forKey: .socket) ?? socket
        guard version == Self.currentVersion else {
            throw CarpelError(
                .invalidArgument, "configurationVersion",
                "the configuration has version \(version); this carpeld reads version \(Self.currentVersion)",
                field: "version")
        }
    }
}

/// What boots inside the machines; `hack/guest` makes both files.
public struct GuestConfiguration: Codable, Sendable {
    /// An uncompressed vmlinux with a PVH entry point.
    public var kernel = "/usr/lib/carpel/vmlinux"
    public var initramfs = "/usr/lib/carpel/initramfs.cpio"
    /// Added to Carpel's own kernel arguments.
    public var kernelArguments: [String] = []
    /// Seconds from the start of QEMU to the agent's greeting.
    public var bootTimeoutSeconds = 60

    public init() {}

    private enum CodingKeys: String, CodingKey { case kernel, initramfs, kernelArguments, bootTimeoutSeconds }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        kernel = try values.decodeIfPresent(String.self, forKey: .kernel) ?? kernel
        initramfs = try values.decodeIfPresent(String.self, forKey: .initramfs) ?? initramfs
        kernelArguments = try values.decodeIfPresent([String].self, forKey: .kernelArguments) ?? kernelArguments
        bootTimeoutSeconds = try values.decodeIfPresent(Int.self, forKey: .bootTimeoutSeconds) ?? bootTimeoutSeconds
    }
}

/// What a pod gets that does not ask.
public struct PodsConfiguration: Codable, Sendable {
    public var defaultVirtualCPUs = 1
    public var defaultMemory = ByteCount.mebibytes(128)
    /// What a pod's machine may grow to when limits are raised. A pod that asks for more from the start gets it.
    /// Each CPU that there may be costs the machine 256 KiB; memory that there may be costs nothing.
    public var maximumVirtualCPUs = min(ProcessInfo.processInfo.processorCount, 8)
    public var maximumMemory = ByteCount(Int64(clamping: ProcessInfo.processInfo.physicalMemory))
    /// The most that a pod's containers may write. The file is sparse.
    public var scratchSize = ByteCount.gibibytes(8)

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case defaultVirtualCPUs, defaultMemory, maximumVirtualCPUs, maximumMemory, scratchSize
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        defaultVirtualCPUs = try values.decodeIfPresent(Int.self, forKey: .defaultVirtualCPUs) ?? defaultVirtualCPUs
        defaultMemory = try values.decodeIfPresent(ByteCount.self, forKey: .defaultMemory) ?? defaultMemory
        maximumVirtualCPUs = try values.decodeIfPresent(Int.self, forKey: .maximumVirtualCPUs) ?? maximumVirtualCPUs
        maximumMemory = try values.decodeIfPresent(ByteCount.self, forKey: .maximumMemory) ?? maximumMemory
        scratchSize = try values.decodeIfPresent(ByteCount.self, forKey: .scratchSize) ?? scratchSize
    }
}

/// Who may speak to the daemon.
public struct SocketConfiguration: Codable, Sendable {
    /// The group whose members reach the socket (mode 0660) and are admins; the socket is root's alone if it does not exist.
    public var adminGroup = "carpel"
    /// Users who may call the methods that change nothing.
    public var viewUsers: [UInt32] = []
    /// Nil: half of the files that the daemon may open, and 8192 at most.
    public var maximumConnections: Int?

    public init() {}

    private enum CodingKeys: String, CodingKey { case adminGroup, viewUsers, maximumConnections }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        adminGroup = try values.decodeIfPresent(String.self, forKey: .adminGroup) ?? adminGroup
        viewUsers = try values.decodeIfPresent([UInt32].self, forKey: .viewUsers) ?? viewUsers
        maximumConnections = try values.decodeIfPresent(Int.self, forKey: .maximumConnections)
    }
}
