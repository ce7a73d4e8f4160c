import CarpelCore
import Glibc

extension MachineSpec {
    /// - Throws: `CarpelError` with what is wrong and how to put it right.
    func validate(_ configuration: MachinesConfiguration, account: Account) throws {
        guard id.isPlainWord(upTo: 64) else {
            throw CarpelError(
                .invalidArgument, "machineName",
                "a machine's id has 1 to 64 letters, digits, '-', '_' and '.'; '\(id)' does not", field: "id")
        }
        guard virtualCPUs > 0 else {
            throw CarpelError(.invalidArgument, "virtualCPUs", "a machine needs a virtual CPU", field: "virtualCPUs")
        }
        guard maximumVirtualCPUs >= virtualCPUs, maximumGuestMemory >= guestMemory else {
            throw CarpelError(
                .invalidArgument, "maximumTooSmall", "a machine's maximum is less than what it starts with",
                field: "maximumVirtualCPUs")
        }
        guard guestMemory >= configuration.minimumGuestMemory else {
            throw CarpelError(
                .invalidArgument, "memoryTooSmall",
                "\(guestMemory) is not enough for a pod; ask for at least \(configuration.minimumGuestMemory)",
                field: "guestMemory")
        }
        guard channelPath.utf8.count <= MachineFiles.longestSocketPath else {
            throw CarpelError(
                .invalidArgument, "pathTooLong",
                "the socket \(channelPath) is longer than \(MachineFiles.longestSocketPath) bytes", field: "channelPath"
            )
        }
        let slots = RootBus.slots.count - (RootBus.firstFree - RootBus.slots.lowerBound)
        guard interfaces.count + disks.count(where: { $0.bus == .virtioBlock }) <= slots else {
            throw CarpelError(
                .invalidArgument, "tooManyDevices",
                "a machine has \(slots) slots for interfaces and virtio-blk disks; use SCSI disks", field: "disks")
        }
        if let sharedFolder { try sharedFolder.validate() }
        for interface in interfaces { try interface.validate() }
        try Self.requireReadable(kernel, "kernel", account)
        try Self.requireReadable(initramfs, "initramfs", account)
        var serials: Set<String> = []
        for disk in disks {
            try disk.validate()
            guard serials.insert(disk.serial).inserted else {
                throw CarpelError(
                    .invalidArgument, "diskSerial", "two disks have the serial \(disk.serial)", field: "disks")
            }
        }
    }

    static func requireReadable(_ path: String, _ what: String, _ account: Account) throws {
        guard FileStatus(path)?.kind == .file else {
            throw CarpelError(
                .failedPrecondition, "\(what)Missing",
                "there is no \(what) at \(path); build it with hack/guest, and name it in the configuration under guest"
            )
        }
        guard let obstacle = account.obstacle(to: .read, at: path) else { return }
        throw CarpelError(
            .failedPrecondition, "\(what)NotReadable",
            "\(account.name), who runs QEMU, cannot read the \(what) \(path): \(obstacle) does not let it")
    }
}

extension DiskSpec {
    func validate() throws {
        guard serial.isPlainWord(upTo: Self.longestSerial) else {
            throw CarpelError(
                .invalidArgument, "diskSerial",
                "a disk's serial has 1 to \(Self.longestSerial) letters, digits, '-', '_' and '.'; '\(serial)' does not",
                field: "serial")
        }
        let limits = [
            limits?.readBytesPerSecond, limits?.writeBytesPerSecond, limits?.readOperationsPerSecond,
            limits?.writeOperationsPerSecond,
        ].compactMap { $0 }
        guard limits.allSatisfy({ $0 > 0 }) else {
            throw CarpelError(
                .invalidArgument, "diskLimits", "a limit of disk \(serial) is not above 0; leave it out",
                field: "limits")
        }
    }

    /// Sees to it that QEMU can open the disk: a writable one is given to its account unless that may write it anyway,
    /// as a plugin's that is open to the account's group; a shared one must be readable.
    func prepare(for account: Account) throws {
        guard FileStatus(path) != nil else {
            throw CarpelError(.failedPrecondition, "diskMissing", "there is no disk at \(path)", field: "path")
        }
        if !readOnly, account.obstacle(to: [.read, .write], at: path) == path,
            chown(path, account.user, account.group) != 0
        {
            throw CarpelError(
                .failedPrecondition, "diskNotWritable",
                "giving \(path) to \(account.name): \(String(cString: strerror(errno)))", field: "path")
        }
        guard let obstacle = account.obstacle(to: readOnly ? .read : [.read, .write], at: path) else { return }
        throw CarpelError(
            .failedPrecondition, "diskNotReadable",
            "\(account.name), who runs QEMU, cannot open the disk \(path): \(obstacle) does not let it", field: "path")
    }
}

extension InterfaceSpec {
    func validate() throws {
        let parts = macAddress.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 && UInt8($0, radix: 16) != nil }) else {
            throw CarpelError(
                .invalidArgument, "macAddress",
                "a hardware address is six hexadecimal bytes with colons between them; '\(macAddress)' is not",
                field: "macAddress")
        }
        // A name that the kernel would take, since it becomes part of a path below.
        guard (1...15).contains(tap.utf8.count), tap != ".", tap != "..", !tap.contains("/") else {
            throw CarpelError(.invalidArgument, "tapName", "'\(tap)' cannot be a network device", field: "tap")
        }
    }

    func requireTap() throws {
        guard if_nametoindex(tap) != 0 else {
            throw CarpelError(
                .failedPrecondition, "tapMissing", "there is no tap device \(tap) on this host", field: "tap")
        }
    }
}

extension SharedFolderSpec {
    func validate() throws {
        guard tag.isPlainWord(upTo: Self.longestTag) else {
            throw CarpelError(
                .invalidArgument, "sharedFolderTag",
                "a tag has 1 to \(Self.longestTag) letters, digits, '-', '_' and '.'; '\(tag)' does not", field: "tag")
        }
    }

    func requireFolder() throws {
        guard FileStatus(path)?.kind == .directory else {
            throw CarpelError(
                .failedPrecondition, "sharedFolderMissing", "there is no folder \(path) to share", field: "path")
        }
    }
}

extension String {
    /// Safe in a file's name, a shell and a SCSI page.
    func isPlainWord(upTo length: Int) -> Bool {
        (1...length).contains(utf8.count) && first != "." && first != "-"
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
