import Foundation
import Logging
import Synchronization

/// What keeps a QEMU process apart from the host, as the kernel shows it.
struct Confinement: Sendable {
    /// What there should be and is not. libvirt goes without where the host has none, and says nothing.
    let missing: [String]

    init(process: Int32) {
        let files = FileManager.default
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        var missing: [String] = []
        if !status.contains("Seccomp:\t2") { missing.append("seccomp filter") }
        if !status.contains("CapEff:\t0000000000000000") { missing.append("empty set of capabilities") }
        let own = try? files.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
        if let own, own == (try? files.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/mnt")) {
            missing.append("mount namespace")
        }
        let groups = (try? String(contentsOfFile: "/proc/\(process)/cgroup", encoding: .utf8)) ?? ""
        if !groups.contains("qemu") { missing.append("control group") }
        self.missing = missing
    }
}

/// Looks at the first machine only: the host is the same for all.
final class ConfinementWatch: Sendable {
    private let looked = Atomic(false)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func look(at process: Int32) {
        guard looked.exchange(true, ordering: .relaxed) == false else { return }
        let missing = Confinement(process: process).missing
        guard !missing.isEmpty else { return }
        logger.warning("QEMU runs here without \(missing.joined(separator: ", "))")
    }
}
