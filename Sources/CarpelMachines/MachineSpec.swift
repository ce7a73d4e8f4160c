import CarpelCore

/// What a machine is made of.
public struct MachineSpec: Sendable, Equatable {
    /// The pod's id: letters, digits, `-`, `_` and `.`, at most 64.
    public var id: String
    /// A name for people, shown by `virsh list --title`.
    public var name: String
    public var virtualCPUs: Int
    /// What the pod may use. The machine gets `MachinesConfiguration.memoryOverhead` on top.
    public var guestMemory: ByteCount
    /// What the machine may grow to. Each costs the guest memory from the start on: see ``MachinesConfiguration``.
    public var maximumVirtualCPUs: Int
    public var maximumGuestMemory: ByteCount
    /// The path of an uncompressed `vmlinux` (booted by PVH, the fastest way) or a `bzImage`.
    public var kernel: String
    public var initramfs: String
    /// Separated by spaces on the kernel's command line.
    public var kernelArguments: [String]
    /// The disks that are there when the guest boots.
    public var disks: [DiskSpec]
    public var interfaces: [InterfaceSpec]
    /// A folder of the host that the guest sees live; nil for a machine that shares nothing with the host.
    public var sharedFolder: SharedFolderSpec?
    /// Whether a shared folder can be plugged in later; a machine that has one from the start can get another.
    public var canShareFolders: Bool
    /// Where the agent's socket is made, at most 107 bytes. Missing folders are made, with mode 0700.
    /// Another machine must not use the path: libvirt removes what is there once more, some time after the machine's end.
    public var channelPath: String
    /// Where the guest's console is written.
    public var bootLogPath: String

    public init(
        id: String, name: String, virtualCPUs: Int = 1, guestMemory: ByteCount, maximumVirtualCPUs: Int = 0,
        maximumGuestMemory: ByteCount = ByteCount(0), kernel: String, initramfs: String,
        kernelArguments: [String] = [], disks: [DiskSpec] = [], interfaces: [InterfaceSpec] = [],
        sharedFolder: SharedFolderSpec? = nil, canShareFolders: Bool = false, channelPath: String,
        bootLogPath: String
    ) {
        self.id = id
        self.name = name
        self.virtualCPUs = virtualCPUs
        self.guestMemory = guestMemory
        self.maximumVirtualCPUs = max(maximumVirtualCPUs, virtualCPUs)
        self.maximumGuestMemory = max(maximumGuestMemory, guestMemory)
        self.kernel = kernel
        self.initramfs = initramfs
        self.kernelArguments = kernelArguments
        self.disks = disks
        self.interfaces = interfaces
        self.sharedFolder = sharedFolder
        self.canShareFolders = canShareFolders
        self.channelPath = channelPath
        self.bootLogPath = bootLogPath
    }
}

/// What a running machine has, and what it may grow to.
public struct MachineCapacity: Hashable, Sendable {
    public var virtualCPUs: Int
    public var maximumVirtualCPUs: Int
    /// The whole machine's: what the pod may use and what the guest itself takes.
    public var memory: ByteCount

    public init(virtualCPUs: Int, maximumVirtualCPUs: Int, memory: ByteCount) {
        self.virtualCPUs = virtualCPUs
        self.maximumVirtualCPUs = maximumVirtualCPUs
        self.memory = memory
    }
}

/// A disk of a machine.
public struct DiskSpec: Hashable, Sendable {
    public enum Format: String, Codable, Sendable {
        case raw, qcow2
    }

    /// How the guest sees the disk.
    public enum Bus: String, Codable, Sendable {
        /// A LUN of the machine's virtio-scsi controller, `/dev/sd*`; can be plugged in and out.
        case scsi
        /// A PCI device of its own, `/dev/vd*`; only from the start on.
        case virtioBlock
    }

    /// The longest serial that a guest sees whole: virtio-blk cuts off the rest without a word.
    /// Source: virtio 1.2, section 5.2.6 (`VIRTIO_BLK_T_GET_ID` has 20 bytes); SCSI would take 36.
    public static let longestSerial = 20

    /// The most that the machine may do to the disk in a second; nil: no limit.
    public struct Limits: Hashable, Sendable {
        public var readBytesPerSecond: Int64?
        public var writeBytesPerSecond: Int64?
        public var readOperationsPerSecond: Int64?
        public var writeOperationsPerSecond: Int64?

        public init() {}
    }

    /// What the guest finds the disk by: letters, digits, `-`, `_` and `.`, at most ``longestSerial``.
    public var serial: String
    /// A file or a block device.
    public var path: String
    public var format: Format
    /// Disks that several machines share must be read-only. A disk that is not, and that QEMU's account could not
    /// write, becomes its property.
    public var readOnly: Bool
    public var bus: Bus
    public var limits: Limits?

    public init(
        serial: String, path: String, format: Format = .raw, readOnly: Bool, bus: Bus = .scsi,
        limits: Limits? = nil
    ) {
        self.serial = serial
        self.path = path
        self.format = format
        self.readOnly = readOnly
        self.bus = bus
        self.limits = limits
    }
}

/// A folder of the host in a machine, through virtiofs. What is mounted in it later, on the host, appears too.
public struct SharedFolderSpec: Hashable, Sendable {
    /// What the guest mounts it by: 1 to 36 letters, digits, `-`, `_` and `.`.
    public var tag: String
    /// A ``SharedFolder`` that has been made.
    public var path: String

    public init(tag: String, path: String) {
        self.tag = tag
        self.path = path
    }
}

/// A network interface of a machine: a virtio NIC on a tap device that exists.
public struct InterfaceSpec: Hashable, Sendable {
    /// The tap device on the host, at most 15 bytes.
    public var tap: String
    /// Six hexadecimal bytes separated by colons.
    public var macAddress: String
    /// Bytes; the tap device's own if nil.
    public var mtu: Int?

    public init(tap: String, macAddress: String, mtu: Int? = nil) {
        self.tap = tap
        self.macAddress = macAddress
        self.mtu = mtu
    }
}
