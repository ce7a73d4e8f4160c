import CLibnl
import Glibc

/// A network namespace that a file holds: it lives until the file is gone, whoever made it.
public struct NetworkNamespace: Sendable, Hashable {
    /// Where its file is, or will be.
    public let path: String

    public init(path: String) { self.path = path }

    /// Whether the file holds a namespace. After a reboot only the file is left.
    public var exists: Bool {
        var information = statfs()
        return statfs(path, &information) == 0 && information.f_type == NSFS_MAGIC
    }

    /// Makes the namespace, with its loopback interface up, and its file.
    ///
    /// - Throws: ``NetlinkError``, with `EEXIST` if there is such a file; nothing is left then.
    public func make() async throws {
        let file = open(path, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw NetlinkError("make \(path)", errorCode: errno) }
        close(file)
        do {
            try await onOwnThread {
                guard unshare(carpel_clone_newnet) == 0 else {
                    throw NetlinkError("make a network namespace", errorCode: errno)
                }
                let flags = UInt(MS_BIND)
                guard mount("/proc/thread-self/ns/net", path, nil, flags, nil) == 0 else {
                    throw NetlinkError("mount a network namespace on \(path)", errorCode: errno)
                }
                let netlink = try Netlink()
                if let loopback = try netlink.link(named: "lo") {
                    try netlink.change(loopback.index, LinkChange(isUp: true))
                }
            }
        } catch {
            remove()
            throw error
        }
    }

    /// Takes the file away, and with it the namespace and what lives in it, unless a process still uses it.
    public func remove() {
        umount2(path, Int32(MNT_DETACH))
        // Also takes it out of other mount namespaces, such as a machine's.
        unlink(path)
    }

    /// Runs `body` in the namespace, on a thread of its own.
    ///
    /// - Throws: ``NetlinkError`` if there is no such namespace, and what `body` throws.
    public func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await onOwnThread {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw NetlinkError("open \(path)", errorCode: errno) }
            defer { close(file) }
            guard setns(file, carpel_clone_newnet) == 0 else {
                throw NetlinkError("enter the network namespace \(path)", errorCode: errno)
            }
            return try body()
        }
    }
}
