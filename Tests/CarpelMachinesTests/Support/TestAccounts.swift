import CarpelMachines
import Foundation
import Glibc

/// The accounts that `hack/setup` makes on a node.
enum TestAccounts {
    /// Makes those that are missing: the one that QEMU runs as, and the one that Debian's libvirt insists on.
    static let ready: Bool = ["carpel-qemu", "libvirt-qemu"].allSatisfy { name in
        if getpwnam(name) != nil { return true }
        let command = Process()
        command.executableURL = URL(fileURLWithPath: "/usr/sbin/useradd")
        command.arguments = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        do {
            try command.run()
            command.waitUntilExit()
            return command.terminationStatus == 0
        } catch {
            return false
        }
    }
}
