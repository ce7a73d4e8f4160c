import CarpelCore
import Glibc

/// Whom hosts run as.
struct SystemAccount: Sendable, Equatable {
    let user: uid_t
    let group: gid_t

    /// - Throws: `CarpelError` with `.failedPrecondition`/`pluginUserMissing`, or `pluginUserIsRoot`.
    init(named name: String) throws {
        guard let entry = Self.entry(named: name) else {
            throw CarpelError(
                .failedPrecondition, "pluginUserMissing",
                "there is no user \(name) for plugins to run as; make it with "
                    + "'useradd --system --user-group --no-create-home --shell /usr/sbin/nologin \(name)'")
        }
        guard entry.user != 0 else {
            throw CarpelError(
                .failedPrecondition, "pluginUserIsRoot", "plugins must not run as root: name another user than \(name)")
        }
        (user, group) = entry
    }

    private static func entry(named name: String) -> (user: uid_t, group: gid_t)? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            guard let memory = buffer.baseAddress,
                getpwnam_r(name, &entry, memory, buffer.count, &found) == 0, found != nil
            else { return nil }
            return (entry.pw_uid, entry.pw_gid)
        }
    }
}
