import CLinux
import CarpelGuestProtocol
import Glibc

/// Makes a machine out of what the kernel hands to init: an initramfs with `/modules`, and `/proc` and `/dev` that
/// were mounted before the runtime started.
enum Boot {
    /// - Returns: What went wrong but need not stop the machine.
    static func run() -> [GuestFailure] {
        var failures: [GuestFailure] = []
        func attempt(_ step: () throws -> Void) {
            do { try step() } catch { failures.append(asFailure(error, "boot")) }
        }
        attempt(leaveInitialRoot)
        for fileSystem in fileSystems { attempt(fileSystem.mount) }
        attempt(Modules.load)
        attempt(Cgroup.prepareMachine)
        // The last one whom the kernel may kill for memory.
        attempt { try Files.write("-1000", to: "/proc/self/oom_score_adj") }
        attempt { try checkNegative(carpel_interface_up("lo"), "set up the loopback interface") }
        return failures
    }

    private static let fileSystems = [
        FileSystem("sysfs", on: "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC),
        FileSystem("cgroup2", on: "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC),
        FileSystem("tmpfs", on: "/run", MS_NOSUID | MS_NODEV, "mode=755"),
    ]

    /// pivot_root(2) refuses to move away from the initramfs, which every container's first process does.
    /// A bind mount of it on top of it is a root like any other.
    private static func leaveInitialRoot() throws(GuestFailure) {
        try Files.makeDirectory("/root")
        try check(mount("/", "/root", nil, UInt(MS_BIND | MS_REC), nil), .mountFailed, "bind the root")
        try check(chdir("/root"), "enter the root")
        try check(mount(".", "/", nil, UInt(MS_MOVE), nil), .mountFailed, "move the root")
        try check(chroot("."), "change the root")
        try check(chdir("/"), "enter the root")
    }
}

/// A file system without a disk.
struct FileSystem {
    let type: String
    let target: String
    let flags: Int
    let options: String

    init(_ type: String, on target: String, _ flags: Int, _ options: String = "") {
        self.type = type
        self.target = target
        self.flags = flags
        self.options = options
    }

    func mount() throws(GuestFailure) {
        try Files.makeDirectory(target)
        try check(
            Glibc.mount(type, target, type, UInt(flags), options), .mountFailed, "mount \(type) on \(target)")
    }
}
