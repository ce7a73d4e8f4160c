import CLinux
import CarpelGuestProtocol
import Glibc

/// What all containers of the pod share.
enum Sandbox {
    static let folder = "/run/carpel"
    static let hosts = "\(folder)/hosts"
    static let hostname = "\(folder)/hostname"
    static let resolvConf = "\(folder)/resolv.conf"
    static let sharedMemory = "\(folder)/shm"
    static let scratch = "\(folder)/scratch"
    /// What the host shares with the pod.
    static let shared = "\(folder)/shared"

    /// Random numbers first, then the clock: before anything that could depend on either. A machine that was cloned
    /// would otherwise draw what its siblings draw.
    static func makeUnique(entropy: [UInt8], clock: UInt64) throws(GuestFailure) {
        guard entropy.count >= 32 else {
            throw GuestFailure(.invalidArgument, "the entropy has \(entropy.count) bytes of at least 32")
        }
        try checkNegative(carpel_add_entropy(entropy, entropy.count), "seed the random number generator")
        Clock.set(clock)
    }

    static func apply(_ configuration: SandboxConfiguration, scratchDevice: String) throws(GuestFailure) {
        for folder in [folder, scratch] { try Files.makeDirectory(folder) }
        try describe(configuration)
        // Several attempts may be needed until the host has it right; each starts from nothing.
        umount2(sharedMemory, Int32(MNT_DETACH))
        try FileSystem("tmpfs", on: sharedMemory, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m").mount()
        umount2(scratch, Int32(MNT_DETACH))
        try check(
            mount(scratchDevice, scratch, "ext4", UInt(MS_NOATIME | MS_NODEV), nil), .mountFailed,
            "mount the scratch disk \(configuration.scratchDisk)")
    }

    /// What the pod's containers can read about their pod.
    static func describe(_ configuration: SandboxConfiguration) throws(GuestFailure) {
        try setHostname(configuration.hostname)
        for (name, value) in configuration.sysctls.sorted(by: { $0.key < $1.key }) {
            try Files.write(value, to: try path(ofSysctl: name), reason: .sysctlFailed)
        }
        // In their places: containers have mounted the files themselves.
        try Files.put(configuration.hosts, at: hosts)
        try Files.put(configuration.hostname + "\n", at: hostname)
        try Files.put(configuration.resolvConf, at: resolvConf)
    }

    private static func setHostname(_ name: String) throws(GuestFailure) {
        try check(sethostname(name, name.utf8.count), .invalidArgument, "set the host name \(name)")
    }

    /// `net.ipv4.ip_forward`, or `net/ipv4/conf/eth0.1/forwarding` where a name holds a dot (sysctl.d(5)).
    private static func path(ofSysctl name: String) throws(GuestFailure) -> String {
        let slashed = name.contains("/")
        let parts = name.split(separator: slashed ? "/" : ".", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == ".." || $0 == "." || $0.contains("/") }) else {
            throw GuestFailure(.sysctlFailed, "\(name) is not the name of a sysctl")
        }
        return "/proc/sys/" + parts.joined(separator: "/")
    }
}
