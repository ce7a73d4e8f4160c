/// What a machine must be like to go on from the state of another: QEMU takes a state only into the same devices at the
/// same places.
public struct MachineShape: Codable, Hashable, Sendable {
    /// QEMU's version, as in `7.2.22`.
    public var qemu: String
    /// As in `pc-q35-7.2`.
    public var machineType: String
    public var accelerator: AcceleratorChoice.Kind
    /// The host's processor where the guest runs on it as it is; empty with TCG, whose processor is QEMU's own.
    public var processor: String
    public var virtualCPUs: Int
    public var maximumVirtualCPUs: Int
    /// Without the modules that were plugged in.
    public var memoryKibibytes: Int64
    /// Nil for a machine that keeps the memory that it has.
    public var maximumMemoryKibibytes: Int64?
    /// In the order of their slots.
    public var modulesKibibytes: [Int64]
    /// The LUN of each SCSI disk, by the disk's serial.
    public var units: [String: Int]

    public init(
        qemu: String, machineType: String, accelerator: AcceleratorChoice.Kind, processor: String, virtualCPUs: Int,
        maximumVirtualCPUs: Int, memoryKibibytes: Int64, maximumMemoryKibibytes: Int64? = nil,
        modulesKibibytes: [Int64] = [], units: [String: Int]
    ) {
        self.qemu = qemu
        self.machineType = machineType
        self.accelerator = accelerator
        self.processor = processor
        self.virtualCPUs = virtualCPUs
        self.maximumVirtualCPUs = maximumVirtualCPUs
        self.memoryKibibytes = memoryKibibytes
        self.maximumMemoryKibibytes = maximumMemoryKibibytes
        self.modulesKibibytes = modulesKibibytes
        self.units = units
    }
}

/// The memory and the devices of a machine, as ``Machine/saveState(to:)`` has written them.
public struct SavedState: Sendable {
    public var shape: MachineShape
    /// The file, open for reading, at its beginning.
    public var descriptor: Int32

    public init(shape: MachineShape, descriptor: Int32) {
        self.shape = shape
        self.descriptor = descriptor
    }
}
