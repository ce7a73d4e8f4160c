import CarpelCore

/// How machines run on this node. Every field has a default, also when it is read.
public struct MachinesConfiguration: Codable, Sendable, Equatable {
    public enum Accelerator: String, Codable, Sendable {
        /// KVM if the probe says that it runs guests properly, else TCG.
        case auto
        case kvm, tcg
    }

    /// Which of libvirt's QEMU drivers.
    public enum Driver: String, Codable, Sendable {
        /// `qemu:///embed`: the driver in this process, with a root of its own.
        case embed
        /// `qemu:///system`: the daemon of the distribution, with its own configuration.
        case system
    }

    /// Where the guest's console goes on its way to the boot log.
    public enum Console: String, Codable, Sendable {
        /// `ttyS0`: there from the kernel's first line on.
        case serial
        /// `hvc0`: needs `virtio_console` in the guest, and costs no emulated UART.
        case virtio
        case none
    }

    /// Whether machines may have shared folders.
    public enum Virtiofs: String, Codable, Sendable {
        /// If there is a virtiofsd.
        case auto
        case off
    }

    public var accelerator: Accelerator = .auto
    public var driver: Driver = .embed
    public var console: Console = .serial
    /// Who QEMU runs as. The account must exist, and be in group `kvm` where KVM is used.
    public var qemuUser = "carpel-qemu"
    public var qemuGroup = "carpel-qemu"
    /// What the guest's kernel, initramfs and agent take of the machine's memory, on top of what the pod asked for.
    /// Measured: below 88 MiB in all the guest does not come up.
    /// A 64th of the latter is added for the kernel's page descriptors.
    public var memoryOverhead = ByteCount.mebibytes(96)
    /// The least that a pod may ask for.
    public var minimumGuestMemory = ByteCount.mebibytes(8)
    /// Of libvirt and QEMU, gone at reboot; also the name of this node's machines in their ownership mark.
    /// At most ``longestStateDirectory`` bytes.
    public var stateDirectory = "/run/carpel/machines"
    /// QEMU's binary; libvirt finds it if nil.
    public var emulator: String?
    public var virtiofs: Virtiofs = .auto
    /// virtiofsd's binary; looked for in the usual places if nil.
    public var virtiofsDaemon: String?
    /// How long one call of libvirt may take.
    public var callTimeoutSeconds = 60

    /// libvirt puts `/lib/qemu/domain-<number>-<20 bytes>/monitor.sock` behind it, and a Unix socket's path has 107.
    public static let longestStateDirectory = 48

    /// Linux keeps 64 bytes for each page of 4096: `struct page`, include/linux/mm_types.h.
    static let memoryPerPageDescriptor: Int64 = 4096 / 64

    /// What Linux keeps for each CPU that there may be, whether it is there or not; measured: 244 KiB. Memory that there
    /// may be costs it nothing, as long as the kernel is told `swiotlb=noforce`, and 64 MiB otherwise.
    static let memoryPerProcessor = ByteCount.kibibytes(256)

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, default fallback: Value) throws -> Value {
            try values.decodeIfPresent(Value.self, forKey: key) ?? fallback
        }
        accelerator = try value(.accelerator, default: accelerator)
        driver = try value(.driver, default: driver)
        console = try value(.console, default: console)
        qemuUser = try value(.qemuUser, default: qemuUser)
        qemuGroup = try value(.qemuGroup, default: qemuGroup)
        memoryOverhead = try value(.memoryOverhead, default: memoryOverhead)
        minimumGuestMemory = try value(.minimumGuestMemory, default: minimumGuestMemory)
        stateDirectory = try value(.stateDirectory, default: stateDirectory)
        emulator = try values.decodeIfPresent(String.self, forKey: .emulator)
        virtiofs = try value(.virtiofs, default: virtiofs)
        virtiofsDaemon = try values.decodeIfPresent(String.self, forKey: .virtiofsDaemon)
        callTimeoutSeconds = try value(.callTimeoutSeconds, default: callTimeoutSeconds)
    }

    /// The memory of a machine in which a pod may use `guestMemory`: whole mebibytes, rounded up. libvirt rounds by
    /// itself otherwise, and the description would not tell.
    func machineMemory(for guestMemory: ByteCount, maximumVirtualCPUs: Int) -> ByteCount {
        let pageDescriptors = ByteCount(guestMemory.bytes / Self.memoryPerPageDescriptor)
        let processors = ByteCount(Int64(maximumVirtualCPUs - 1) * Self.memoryPerProcessor.bytes)
        let wanted = guestMemory + pageDescriptors + processors + memoryOverhead
        return .mebibytes((wanted.bytes + (1 << 20) - 1) / (1 << 20))
    }

    var callTimeout: Duration { .seconds(callTimeoutSeconds) }
}
