import CarpelCore
import Foundation
import Logging

/// The folder of an embedded driver, with the configuration that the driver reads from it.
///
/// Source: https://libvirt.org/drvqemu.html (embedded driver), `src/qemu/qemu.conf.in`
struct EmbedRoot: Sendable {
    let path: String
    let user: String
    let group: String

    /// What the driver keeps to its own choice, because it finds out by itself what works: mount namespaces, control
    /// groups where they are writable, and QEMU's seccomp sandbox.
    func configuration(mounts: String) -> String {
        var lines = [
            "# Written by carpeld at each start.",
            "user = \"\(user)\"",
            "group = \"\(group)\"",
            // Carpel confines by the account, and needs neither AppArmor's nor SELinux's libvirt policy.
            "security_driver = \"none\"",
            // Owners remembered in extended attributes would outlive a kill of this process.
            "remember_owner = 0",
            // No virtlogd: QEMU writes its log and the boot log itself.
            "stdio_handler = \"file\"",
        ]
        if !Self.readOnlyControlGroups(mounts: mounts).isEmpty { lines.append("cgroup_controllers = [ ]") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The control group file systems that are mounted read-only, as in many containers: libvirt would take them, and
    /// fail to start a domain.
    static func readOnlyControlGroups(mounts: String) -> [String] {
        mounts.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[2].hasPrefix("cgroup") else { return nil }
            return fields[3].split(separator: ",").contains("ro") ? String(fields[1]) : nil
        }
    }

    /// Makes the folder, which QEMU's account must be able to pass through, and writes the configuration.
    func prepare(account: Account, logger: Logger) throws {
        guard path.utf8.count <= MachinesConfiguration.longestStateDirectory else {
            throw CarpelError(
                .failedPrecondition, "pathTooLong",
                "the state directory \(path) is longer than \(MachinesConfiguration.longestStateDirectory) bytes, "
                    + "and the paths of sockets in it would not fit; choose a shorter one with --state")
        }
        let files = FileManager.default
        let mounts = (try? KernelFile.read("/proc/self/mounts")) ?? ""
        let readOnly = Self.readOnlyControlGroups(mounts: mounts)
        if !readOnly.isEmpty {
            logger.warning("machines run without control groups: \(readOnly.joined(separator: ", ")) cannot be written")
        }
        do {
            try files.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
            try files.createDirectory(
                atPath: "\(path)/etc", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data(configuration(mounts: mounts).utf8).write(
                to: URL(fileURLWithPath: "\(path)/etc/qemu.conf"), options: .atomic)
        } catch {
            throw CarpelError(.failedPrecondition, "stateDirectoryUnusable", "preparing \(path): \(error)")
        }
        if let obstacle = account.obstacle(to: .search, at: path) {
            throw CarpelError(
                .failedPrecondition, "stateDirectoryUnusable",
                "\(account.name), who runs QEMU, cannot pass through \(obstacle) to \(path); "
                    + "allow it with 'chmod a+x \(obstacle)' or choose another place with --state")
        }
    }
}
