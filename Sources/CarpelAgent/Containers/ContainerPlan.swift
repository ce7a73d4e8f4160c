import CLinux
import CarpelGuestProtocol
import Glibc

/// What a container's first process, in a mount namespace of its own, does before it becomes its program.
///
/// Source: OCI runtime specification, config.md and config-linux.md ("Default Filesystems", "Default Devices",
/// "Masked Paths", "Readonly Paths").
struct ContainerPlan {
    private let spec: ContainerSpec
    /// Of each mount; nil for a tmpfs.
    private let sources: [MountSource?]
    private let root: String
    private let steps: Steps
    /// What lies outside the root, and the slot in which it is taken there.
    private var files: [(slot: Int32, target: String)] = []
    private var sharedMemory: Int32?
    private var mounts: [Int32?] = []

    private static let nothing = MS_NOSUID | MS_NODEV | MS_NOEXEC

    static func add(
        _ spec: ContainerSpec, sources: [MountSource?], root: String, to steps: Steps
    ) throws(GuestFailure) {
        var container = ContainerPlan(spec: spec, sources: sources, root: root, steps: steps)
        try container.enterRoot()
        container.mountKernelFileSystems()
        container.makeDevices()
        container.mountShared()
        container.mountOthers()
        container.protect()
    }

    private init(spec: ContainerSpec, sources: [MountSource?], root: String, steps: Steps) {
        (self.spec, self.sources, self.root, self.steps) = (spec, sources, root, steps)
    }

    /// Which of the pod's files appear where.
    private static let podFiles = [
        (Sandbox.hosts, "/etc/hosts"), (Sandbox.hostname, "/etc/hostname"), (Sandbox.resolvConf, "/etc/resolv.conf"),
    ]

    private mutating func enterRoot() throws(GuestFailure) {
        // Behind the clone: a cgroup namespace has the cgroup of whoever makes it as its root.
        steps.unshare(CLONE_NEWCGROUP)
        steps.mount(nil, on: "/", MS_REC | MS_PRIVATE)
        for (file, target) in Self.podFiles {
            let slot = try steps.newSlot()
            steps.grab(file, slot: slot)
            files.append((slot, target))
        }
        if spec.namespaces.ipc == .pod {
            let slot = try steps.newSlot()
            steps.grab(Sandbox.sharedMemory, slot: slot)
            sharedMemory = slot
        }
        for source in sources {
            guard let source else {
                mounts.append(nil)
                continue
            }
            let slot = try steps.newSlot()
            steps.grab(source.path, inside: source.root, source.how, slot: slot)
            mounts.append(slot)
        }
        steps.pivot(to: root)
    }

    // Behind the pivot every path means what it means to the container: no link of the image leads out of it.

    private func mountKernelFileSystems() {
        steps.makeDirectory("/proc", mayBeLink: false)
        steps.mount("proc", on: "/proc", Self.nothing)
        steps.makeDirectory("/sys", mayBeLink: false)
        let access = spec.privileged ? 0 : MS_RDONLY
        steps.mount("sysfs", on: "/sys", Self.nothing | access)
        steps.mount("cgroup2", on: "/sys/fs/cgroup", Self.nothing | access)
    }

    private func makeDevices() {
        steps.makeDirectory("/dev", mayBeLink: false)
        steps.mount("tmpfs", on: "/dev", MS_NOSUID, "mode=755,size=64k")
        for device in Self.standardDevices + (spec.privileged ? MachineDevices.all() : []) + spec.devices {
            steps.makeNode(device)
        }
        for (name, target) in Self.links { steps.link("/dev/\(name)", to: target) }
        steps.makeDirectory("/dev/pts")
        // Group 5 is "tty" by convention; programs that allocate terminals expect it.
        steps.mount("devpts", on: "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5")
        steps.makeDirectory("/dev/mqueue")
        steps.mount("mqueue", on: "/dev/mqueue", Self.nothing)
        steps.makeDirectory("/dev/shm")
        if let sharedMemory {
            steps.place(slot: sharedMemory, on: "/dev/shm")
        } else {
            steps.mount("tmpfs", on: "/dev/shm", Self.nothing, "mode=1777,size=64m")
        }
    }

    private func mountShared() {
        for (slot, target) in files {
            steps.makeFile(target)
            steps.place(slot: slot, on: target)
        }
    }

    private func mountOthers() {
        for (mount, slot) in zip(spec.mounts, mounts) {
            if let slot {
                steps.placeAsWhatItIs(slot: slot, on: mount.destination)
            } else {
                let options = MountOptions(mount.options)
                steps.makeDirectory(mount.destination)
                let access = mount.readOnly ? MS_RDONLY : 0
                steps.mount("tmpfs", on: mount.destination, options.flags | access, options.data)
            }
        }
    }

    private func protect() {
        for path in spec.readOnlyPaths { steps.makeReadOnly(path, bind: true) }
        for path in spec.maskedPaths { steps.mask(path) }
        if spec.readOnlyRoot { steps.makeReadOnly("/", bind: false) }
    }

    private static let links = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ]

    private static let standardDevices: [ContainerSpec.Device] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ].map { .init(path: "/dev/\($0.0)", kind: .character, major: $0.1, minor: $0.2) }
}
