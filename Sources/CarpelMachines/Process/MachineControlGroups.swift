import CarpelCore
import Foundation
import Glibc

/// The control groups that libvirt made for a machine. It forgets those of machines that it was re-attached to.
struct MachineControlGroups: Sendable {
    /// libvirt puts every machine below it.
    private static let partition = "machine"

    private let folders: [String]

    /// To be made while the process lives.
    init(of process: Int32, domain: String) {
        let text = (try? String(contentsOfFile: "/proc/\(process)/cgroup", encoding: .utf8)) ?? ""
        let paths = text.split(separator: "\n").compactMap { line in
            line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last
        }
        // The name may be cut, so the domain's beginning decides.
        let groups = Set(paths.compactMap { Self.machineGroup(in: $0, domain: domain.prefix(16)) })
        folders = ControlGroupMount.all().flatMap { mount in groups.map { mount.path + $0 } }
    }

    /// `/machine/qemu-1-web.libvirt-qemu` of `/machine/qemu-1-web.libvirt-qemu/libvirt/emulator`.
    private static func machineGroup(in path: Substring, domain: Substring) -> String? {
        let parts = path.split(separator: "/")
        guard parts.count >= 2, parts[0] == partition, parts[1].contains(domain) else { return nil }
        return "/\(parts[0])/\(parts[1])"
    }

    /// Removes the groups, which hold no process any more. Those that are gone already are fine.
    func remove() {
        for folder in folders { Self.remove(folder) }
    }

    private static func remove(_ folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            var status = stat()
            let path = "\(folder)/\(name)"
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { remove(path) }
        }
        rmdir(folder)
    }

    /// Removes what holds all machines' groups, if it is empty. Not while a machine may be starting.
    static func removeEmptyPartition() {
        for mount in ControlGroupMount.all() { rmdir("\(mount.path)/\(partition)") }
    }
}
