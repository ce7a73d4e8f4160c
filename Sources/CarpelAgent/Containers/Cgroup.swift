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
        for (name, value) in try files(for: resources) { try write(value, to: name) }
    }

    /// Applies all of the resources or none of them.
    ///
    /// - Throws: `memoryInUse` if more is in use than the new limit, and the kernel cannot take it back.
    func change(_ resources: ContainerResources) throws(GuestFailure) {
        if let limit = resources.memoryLimit, limit > 0 { try makeRoom(within: UInt64(limit)) }
        var former: [(name: String, value: String)] = []
        do throws(GuestFailure) {
            for (name, value) in try files(for: resources) {
                let previous = Files.line("\(path)/\(name)")
                try write(value, to: name)
                if let previous { former.append((name, previous)) }
            }
        } catch {
            for (name, value) in former.reversed() { try? write(value, to: name) }
            throw error
        }
    }

    /// A limit below what is used would have the kernel kill processes.
    private func makeRoom(within limit: UInt64) throws(GuestFailure) {
        let excess = { (used: UInt64) in used > limit ? used - limit : 0 }
        guard let used = number(in: "memory.current"), excess(used) > 0 else { return }
        // Fails if it gets less, and gets what it can.
        try? Files.write("\(excess(used))", to: "\(path)/memory.reclaim")
        guard let left = number(in: "memory.current"), excess(left) > 0 else { return }
        throw GuestFailure(.memoryInUse, "\(left) bytes of memory are in use, \(excess(left)) more than the new limit")
    }

    private func write(_ value: String, to name: String) throws(GuestFailure) {
        try Files.write(value, to: "\(path)/\(name)", reason: .cgroupFailed)
    }

    /// The cgroup's files and what is to be written to them.
    private func files(for resources: ContainerResources) throws(GuestFailure) -> [(name: String, value: String)] {
        var values: [(String, String?)] = [
            ("cpu.weight", resources.cpuWeight.map(String.init)),
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
        // Last, since a list with processes in it cannot be emptied again: nothing after them may fail.
        values += [("cpuset.mems", resources.memoryNodes), ("cpuset.cpus", resources.cpus)]
        var files: [(name: String, value: String)] = []
        for case (let name, let value?) in values {
            guard !name.isEmpty, !name.contains("/"), !name.hasPrefix("cgroup.") else {
                throw GuestFailure(.invalidArgument, "\(name) is not a resource of a cgroup")
            }
            files.append((name, value))
        }
        return files
    }

    /// CRI and the OCI runtime specification write "no limit" as a number below or equal to 0.
    private static func limit(_ value: Int64) -> String { value > 0 ? String(value) : "max" }

    /// Kills every process in it, however fast they multiply.
    func killAll() { try? Files.write("1", to: "\(path)/cgroup.kill") }

    /// Source: cgroup-v2.rst, cgroup.freeze. It takes a moment until ``isFrozen``.
    func setFrozen(_ frozen: Bool) throws(GuestFailure) {
        try Files.write(frozen ? "1" : "0", to: "\(path)/cgroup.freeze", reason: .cgroupFailed)
    }

    /// Every process in it stands still.
    var isFrozen: Bool { number("frozen", in: "cgroup.events") == 1 }

    var processes: [pid_t] {
        guard let bytes = try? Files.read("\(path)/cgroup.procs", limit: 4 << 20) else { return [] }
        return bytes.split(separator: 0x0A).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }

    var isPopulated: Bool { number("populated", in: "cgroup.events") == 1 }

    /// How many processes the kernel has killed in it for want of memory.
    var outOfMemoryKills: UInt64 { number("oom_kill", in: "memory.events") ?? 0 }

    /// Of a file of `name value` lines.
    func number(_ name: String, in file: String) -> UInt64? { numbers(in: file)[name] }

    /// A file of `name value` lines.
    func numbers(in file: String) -> [String: UInt64] {
        guard let bytes = try? Files.read("\(path)/\(file)") else { return [:] }
        var numbers: [String: UInt64] = [:]
        for line in bytes.split(separator: 0x0A) {
            let words = line.split(separator: 0x20)
            guard words.count == 2, let value = UInt64(String(decoding: words[1], as: UTF8.self)) else { continue }
            numbers[String(decoding: words[0], as: UTF8.self)] = value
        }
        return numbers
    }

    /// A file of one number; nil if it says `max` or is not there.
    func number(in file: String) -> UInt64? { Files.line("\(path)/\(file)").flatMap { UInt64($0) } }

    /// With what a privileged container has made below it.
    func remove() throws(GuestFailure) {
        for name in Files.names(in: path) where Files.isDirectory("\(path)/\(name)") {
            try Cgroup(path: "\(path)/\(name)").remove()
        }
        guard rmdir(path) < 0, errno != ENOENT else { return }
        throw failure(errno, .cgroupFailed, "remove \(path)")
    }
}
