import CarpelCore

/// Starts virtual machines, and finds again those that outlived the process that started them.
public protocol Hypervisor: Sendable {
    /// What runs the guests' instructions, and why.
    var accelerator: AcceleratorChoice { get }
    /// Whether machines can have shared folders.
    var virtualFileSystem: VirtualFileSystem { get }

    /// Starts a machine. When it returns the guest is booting and its channel can be connected to.
    ///
    /// Cancelling destroys what was started and removes its files; so does any error.
    /// - Throws: `CarpelError`: `.invalidArgument` with `memoryTooSmall`, `machineName`, `diskSerial` or `pathTooLong`;
    ///   `.failedPrecondition` with `kernelMissing` and its like; `.alreadyExists` with `machineExists`;
    ///   `.unavailable` with `machineStartFailed` and the tail of QEMU's log.
    func start(_ spec: MachineSpec) async throws -> any Machine

    /// Starts a machine that goes on from where another was when its state was saved. When it returns the guest runs,
    /// with its network cards unplugged from their networks until ``Machine/setLinks(up:)``.
    ///
    /// Cancelling and errors are as for ``start(_:)``.
    /// - Parameter spec: As that of the other machine: its disks with the same content, its cards in the same order.
    /// - Throws: `CarpelError`: `.failedPrecondition` with `machineShapeMismatch` if this host cannot make such a machine;
    ///   `.failedPrecondition` with `machineStateRejected` and the tail of QEMU's log if it does not take the state.
    func restore(_ spec: MachineSpec, from state: SavedState) async throws -> any Machine

    /// The running machines that bear the ownership mark of this root. Others are not touched.
    func reattach() async throws -> [any Machine]

    /// Lets go of the machines, which keep running. Whoever waits for the end of one gets `.unobserved`.
    func close() async
}

/// A running virtual machine.
public protocol Machine: Sendable {
    /// The pod's id.
    var id: String { get }
    /// The Unix socket of the agent's virtio-serial port. It takes one connection at a time, any number of times.
    var channelPath: String { get }
    /// QEMU's process id.
    var processID: Int32 { get }

    /// Plugs in a disk as a LUN of the machine's virtio-scsi controller. A disk with that serial and path that
    /// is there already is left alone.
    /// - Throws: `CarpelError`: `.alreadyExists` with `diskSerialInUse` if another file bears the serial;
    ///   `.failedPrecondition` with `diskMissing` or `diskNotReadable`; `.notFound` with `machineGone`.
    func attach(_ disk: DiskSpec) async throws

    /// Unplugs the disk with this serial, if there is one, and returns when QEMU has closed its file. A file system
    /// on it must have been unmounted: the guest is told, not asked.
    /// - Throws: `CarpelError` with `.unavailable` and `diskBusy` if that takes longer than ten seconds.
    func detach(serial: String) async throws

    /// Makes the disk with this serial longer; the guest hears of it. A disk that has that length is left alone.
    /// - Throws: `CarpelError`: `.notFound` with `diskNotAttached`; `.invalidArgument` with `diskWouldShrink`.
    func resize(serial: String, to size: ByteCount) async throws

    /// The serials of the disks that are plugged in, in the order of their addresses.
    func attachedDisks() async throws -> [String]

    /// Plugs in a network interface. One with that address and tap that is there already is left alone.
    /// - Throws: `CarpelError`: `.alreadyExists` with `macAddressInUse` if another tap bears the address;
    ///   `.failedPrecondition` with `tapMissing`; `.resourceExhausted` with `noFreePort`.
    func attach(_ interface: InterfaceSpec) async throws

    /// Unplugs the interface with this address, if there is one, and returns when the guest has let go of it.
    /// - Throws: `CarpelError`: `.unavailable` with `interfaceBusy` if that takes longer than ten seconds;
    ///   `.failedPrecondition` with `interfaceFixed` if the machine was started with it.
    func detach(macAddress: String) async throws

    /// The addresses of the network interfaces that the machine has, in lower case, those of its start first.
    func attachedInterfaces() async throws -> [String]

    func capacity() async throws -> MachineCapacity

    /// Plugs in virtual CPUs and memory until there are as many as asked; nothing is ever taken away. The guest has to
    /// take them into use. What is there already is left alone, so that it can be repeated.
    ///
    /// - Parameter guestMemory: What the pod may use; what the guest itself takes comes on top, as in a start.
    /// - Returns: What the machine has now. Memory comes in modules of 128 MiB, so it can be more than was asked.
    /// - Throws: `CarpelError`: `.resourceExhausted` with `machineAtMaximum` if the machine was not started for that
    ///   much, and nothing has changed then; `.resourceExhausted` with `noFreeMemorySlot`.
    func grow(virtualCPUs: Int, guestMemory: ByteCount) async throws -> MachineCapacity

    /// What the machine's processes on this node have used until now.
    func usage() async throws -> MachineProcessUsage

    /// Plugs in a shared folder. One with that tag that is there already is left alone.
    /// - Throws: `CarpelError` with `.failedPrecondition` and `virtiofsUnavailable` if the machine cannot have one.
    func attach(_ folder: SharedFolderSpec) async throws

    /// Unplugs the shared folder, if there is one; the guest must have unmounted it.
    /// - Throws: `CarpelError` with `.unavailable` and `sharedFolderBusy` if that takes longer than ten seconds.
    func detachSharedFolder() async throws

    /// Whether a shared folder is plugged in.
    func hasSharedFolder() async throws -> Bool

    /// Stops the processors: the guest does not notice, but for its clock. A machine that is paused is left alone.
    func pause() async throws

    /// Lets the processors of a paused machine go on; a save that is under way is given up.
    func resume() async throws

    /// Writes the memory and the devices of a paused machine to an open file. The disks' content is not part of it, and
    /// does not change until the machine is resumed.
    ///
    /// Cancelling gives it up; the machine stays paused either way.
    /// - Throws: `CarpelError` with `.unavailable` and `machineNotSaved`, with what QEMU said.
    func saveState(to descriptor: Int32) async throws

    /// What a machine must be like to go on from this one's state.
    func shape() async throws -> MachineShape

    /// Plugs the cards into their networks, or out of them; the guest sees the cable, as it were.
    func setLinks(up: Bool) async throws

    /// Kills the machine, and returns when QEMU is gone. A machine that has ended is fine.
    func destroy() async throws

    /// Waits until QEMU has died or the guest has panicked.
    func end() async -> MachineEnd

    /// The domain as libvirt sees it.
    func domainXML() async throws -> String
}

/// Whether folders of the host can be shared with machines.
public enum VirtualFileSystem: Hashable, Sendable {
    case available
    /// With a clause that says why not and what to do about it.
    case unavailable(reason: String)
}

/// How a machine ended.
public enum MachineEnd: Hashable, Sendable {
    /// The guest switched itself off or rebooted, which ends a pod's machine too.
    case poweredOff
    /// `destroy` was called.
    case destroyed
    /// The guest's kernel panicked; with the last lines of its console.
    case panicked(console: String)
    /// QEMU died or was killed; with the last lines of its log.
    case died(log: String)
    /// The waiting task was cancelled or the hypervisor closed: the machine may well be running.
    case unobserved
}
