import CLinux
import CarpelGuestProtocol
import Glibc

/// What a container's first process does before it becomes its program.
///
/// Source: OCI runtime specification, config.md and config-linux.md ("Default Filesystems", "Default Devices",
/// "Masked Paths", "Readonly Paths").
struct ContainerPlan {
    private let spec: ContainerSpec
    private let root: String
    private let plan: ProcessPlan

    private static let nothing = MS_NOSUID | MS_NODEV | MS_NOEXEC

    static func add(_ spec: ContainerSpec, root: String, to plan: ProcessPlan) {
        let container = ContainerPlan(spec: spec, root: root, plan: plan)
        container.enterRoot()
        container.mountKernelFileSystems()
        container.makeDevices()
        container.mountShared()
        container.mountOthers()
        container.protect()
    }

    /// Which of the pod's files appear where.
    private static let files = [
        (Sandbox.hosts, "/etc/hosts"), (Sandbox.hostname, "/etc/hostname"), (Sandbox.resolvConf, "/etc/resolv.conf"),
    ]

    private func enterRoot() {
        plan.makeNamespaces(CLONE_NEWNS)
        // Behind the clone: a cgroup namespace has the cgroup of whoever makes it as its root.
        plan.unshare(CLONE_NEWCGROUP)
        plan.mount(nil, on: "/", MS_REC | MS_PRIVATE)
        for (slot, file) in Self.files.enumerated() { plan.grab(file.0, slot: Int32(slot)) }
        if spec.namespaces.ipc == .pod { plan.grab(Sandbox.sharedMemory, slot: Int32(Self.files.count)) }
        plan.pivot(to: root)
    }

    // Behind the pivot every path means what it means to the container: no link of the image leads out of it.

    private func mountKernelFileSystems() {
        plan.makeDirectory("/proc", mayBeLink: false)
        plan.mount("proc", on: "/proc", Self.nothing)
        plan.makeDirectory("/sys", mayBeLink: false)
        let access = spec.privileged ? 0 : MS_RDONLY
        plan.mount("sysfs", on: "/sys", Self.nothing | access)
        plan.mount("cgroup2", on: "/sys/fs/cgroup", Self.nothing | access)
    }

    private func makeDevices() {
        plan.makeDirectory("/dev", mayBeLink: false)
        plan.mount("tmpfs", on: "/dev", MS_NOSUID, "mode=755,size=64k")
        for device in Self.standardDevices + (spec.privileged ? MachineDevices.all() : []) + spec.devices {
            plan.makeNode(device)
        }
        for (name, target) in Self.links { plan.link("/dev/\(name)", to: target) }
        plan.makeDirectory("/dev/pts")
        // Group 5 is "tty" by convention; programs that allocate terminals expect it.
        plan.mount("devpts", on: "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5")
        plan.makeDirectory("/dev/mqueue")
        plan.mount("mqueue", on: "/dev/mqueue", Self.nothing)
        plan.makeDirectory("/dev/shm")
        if spec.namespaces.ipc == .pod {
            plan.place(slot: Int32(Self.files.count), on: "/dev/shm")
        } else {
            plan.mount("tmpfs", on: "/dev/shm", Self.nothing, "mode=1777,size=64m")
        }
    }

    private func mountShared() {
        for (slot, file) in Self.files.enumerated() {
            plan.makeFile(file.1)
            plan.place(slot: Int32(slot), on: file.1)
        }
    }

    private func mountOthers() {
        for mount in spec.mounts {
            switch mount.kind {
            case .tmpfs:
                let options = MountOptions(mount.options)
                plan.makeDirectory(mount.destination)
                plan.mount("tmpfs", on: mount.destination, options.flags, options.data)
            }
        }
    }

    private func protect() {
        for path in spec.readOnlyPaths { plan.makeReadOnly(path, bind: true) }
        for path in spec.maskedPaths { plan.mask(path) }
        if spec.readOnlyRoot { plan.makeReadOnly("/", bind: false) }
    }

    private static let links = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ]

    private static let standardDevices: [ContainerSpec.Device] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ].map { .init(path: "/dev/\($0.0)", kind: .character, major: $0.1, minor: $0.2) }
}
