import CarpelGuestProtocol
import Glibc

/// A container's control group (cgroup v2).
///
/// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html
struct Cgroup {
    private static let root = "/sys/fs/cgroup"
    /// Holds those of all containers.
    static let pod = Cgroup(path: "\(root)/pod")

    let path: String

    static func prepareMachine() throws(GuestFailure) {
        try Files.makeDirectory(pod.path)
        let available = Set((Files.line("\(root)/cgroup.controllers") ?? "").split(separator: " "))
        let wanted = ["cpu", "cpuset", "io", "memory", "pids"].filter { available.contains(Substring($0)) }
        let enabled = wanted.map { "+\($0)" }.joined(separator: " ")
        for folder in [root, pod.path] { try Files.write(enabled, to: "\(folder)/cgroup.subtree_control") }
    }

    static func make(_ id: String) throws(GuestFailure) -> Cgroup {
        let cgroup = Cgroup(path: "\(pod.path)/\(id)")
        try check(mkdir(cgroup.path, 0o755), .cgroupFailed, "make the cgroup of \(id)")
        return cgroup
    }

    func open() throws(GuestFailure) -> Descriptor {
        Descriptor(try check(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .cgroupFailed, "open \(path)"))
    }

    func apply(_ resources: ContainerResources) throws(GuestFailure) {
        var values: [(String, String?)] = [
            ("cpu.weight", resources.cpuWeight.map(String.init)),
            ("cpuset.cpus", resources.cpus),
            ("cpuset.mems", resources.memoryNodes),
            ("memory.max", resources.memoryLimit.map(Self.limit)),
            ("pids.max", resources.processLimit.map(Self.limit)),
        ]
        if resources.cpuQuota != nil || resources.cpuPeriod != nil {
            let quota = resources.cpuQuota.map(Self.limit) ?? "max"
            values.append(("cpu.max", "\(quota) \(resources.cpuPeriod ?? 100_000)"))
        }
        // Absent where the kernel has no swap; then there is nothing to limit.
        if let swap = resources.swapLimit, access("\(path)/memory.swap.max", F_OK) == 0 {
            // Unlike the others, 0 means none: memory and swap have the same limit then.
            values.append(("memory.swap.max", swap < 0 ? "max" : String(swap)))
        }
        values += resources.unified.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for case (let name, let value?) in values {
            guard !name.isEmpty, !name.contains("/"), !name.hasPrefix("cgroup.") else {
                throw GuestFailure(.invalidArgument, "\(name) is not a resource of a cgroup")
            }
            try Files.write(value, to: "\(path)/\(name)", reason: .cgroupFailed)
        }
    }

    /// CRI and the OCI runtime specification write "no limit" as a number below or equal to 0.
    private static func limit(_ value: Int64) -> String { value > 0 ? String(value) : "max" }

    /// Kills every process in it, however fast they multiply.
    func killAll() { try? Files.write("1", to: "\(path)/cgroup.kill") }

    var processes: [pid_t] {
        guard let bytes = try? Files.read("\(path)/cgroup.procs", limit: 4 << 20) else { return [] }
        return bytes.split(separator: 0x0A).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }

    var isPopulated: Bool { number("populated", in: "cgroup.events") == 1 }

    /// How many processes the kernel has killed in it for want of memory.
    var outOfMemoryKills: UInt64 { number("oom_kill", in: "memory.events") ?? 0 }

    /// A file of `name value` lines.
    func number(_ name: String, in file: String) -> UInt64? {
        guard let bytes = try? Files.read("\(path)/\(file)") else { return nil }
        for line in bytes.split(separator: 0x0A) {
            let words = line.split(separator: 0x20)
            if words.count == 2, words[0].elementsEqual(name.utf8) {
                return UInt64(String(decoding: words[1], as: UTF8.self))
            }
        }
        return nil
    }

    /// With what a privileged container has made below it.
    func remove() throws(GuestFailure) {
        for name in Files.names(in: path) where Files.isDirectory("\(path)/\(name)") {
            try Cgroup(path: "\(path)/\(name)").remove()
        }
        guard rmdir(path) < 0, errno != ENOENT else { return }
        throw failure(errno, .cgroupFailed, "remove \(path)")
    }
}
