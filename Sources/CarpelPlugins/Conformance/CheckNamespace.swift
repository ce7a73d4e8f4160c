import CarpelCore
import Foundation
import Glibc

/// A network namespace for the checks of network plugins, so that the node's own network stays as it is.
public enum CheckNamespace {
    private static let mark = "CARPEL_PLUGIN_CHECK_NAMESPACE"

    /// Starts this process anew in a network namespace of its own, with `/sys/class/net` to match; returns in the process
    /// that is in one.
    ///
    /// - Throws: `CarpelError` with `.failedPrecondition`/`namespaceFailed`.
    public static func enter() throws {
        if ProcessInfo.processInfo.environment[mark] != nil { return try prepare() }
        setenv(mark, "1", 1)
        let program = "/usr/bin/unshare"
        let myself = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let arguments = [program, "--net", "--mount", "--propagation", "private", "--", myself]
        var texts = (arguments + CommandLine.arguments.dropFirst()).map { strdup($0) } + [nil]
        execv(program, &texts)
        throw failure("start \(program)")
    }

    private static func prepare() throws {
        unsetenv(mark)
        let folder = try makeTemporaryFolder("carpel-sysfs")
        defer { rmdir(folder) }
        try check(mount("sysfs", folder, "sysfs", 0, nil), "mount sysfs")
        defer { umount2(folder, Int32(MNT_DETACH)) }
        // Only what shows interfaces: control groups are mounted below the node's own sysfs.
        for part in ["class/net", "devices/virtual/net"] {
            try check(mount("\(folder)/\(part)", "/sys/\(part)", nil, UInt(MS_BIND), nil), "mount /sys/\(part)")
        }
        try bringLoopbackUp()
    }

    private static func bringLoopbackUp() throws {
        let control = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(control) }
        var request = ifreq()
        withUnsafeMutableBytes(of: &request.ifr_ifrn) { $0.copyBytes(from: "lo".utf8) }
        request.ifr_ifru.ifru_flags = Int16(IFF_UP)
        try check(ioctl(control, UInt(SIOCSIFFLAGS), &request), "bring the loopback up")
    }

    private static func check(_ result: Int32, _ step: String) throws {
        if result != 0 { throw failure(step) }
    }

    private static func failure(_ step: String) -> CarpelError {
        CarpelError(.failedPrecondition, "namespaceFailed", "cannot \(step): \(String(cString: strerror(errno)))")
    }
}
