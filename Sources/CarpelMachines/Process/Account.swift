import CarpelCore
import Glibc

/// A user of this host, with its groups.
struct Account: Sendable {
    struct Access: OptionSet, Sendable {
        let rawValue: mode_t
        static let read = Access(rawValue: 4)
        static let write = Access(rawValue: 2)
        static let search = Access(rawValue: 1)
    }

    let name: String
    let user: uid_t
    let group: gid_t
    let groups: Set<gid_t>

    /// - Throws: `CarpelError` with `.failedPrecondition` and `qemuUserMissing` if user or group do not exist.
    init(user name: String, group groupName: String) throws {
        guard let entry = Self.user(named: name) else {
            throw CarpelError(
                .failedPrecondition, "qemuUserMissing",
                "there is no user \(name) for QEMU to run as; make it with 'useradd --system --user-group \(name)'")
        }
        guard let group = Self.group(named: groupName) else {
            throw CarpelError(
                .failedPrecondition, "qemuUserMissing",
                "there is no group \(groupName) for QEMU to run in; make it with 'groupadd --system \(groupName)'")
        }
        self.name = name
        user = entry.user
        self.group = group
        groups = Self.groups(of: name, primary: group)
    }

    /// The part of `path` that keeps this account from `access` by its mode bits; nil if nothing does.
    ///
    /// Access control lists are not looked at: they can grant what this denies, rarely the other way round.
    func obstacle(to access: Access, at path: String) -> String? {
        guard user != 0 else { return nil }
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            if let status = FileStatus(folder.isEmpty ? "/" : folder), !may(.search, status) {
                return folder.isEmpty ? "/" : folder
            }
            folder += "/\(part)"
        }
        if !folder.isEmpty, let status = FileStatus(folder), !may(.search, status) { return folder }
        guard let status = FileStatus(path), may(access, status) else { return path }
        return nil
    }

    private func may(_ access: Access, _ status: FileStatus) -> Bool {
        let shift: mode_t = status.user == user ? 6 : groups.contains(status.group) ? 3 : 0
        return (status.mode >> shift) & access.rawValue == access.rawValue
    }

    static func user(named name: String) -> (user: uid_t, group: gid_t)? {
        withLookupBuffer { buffer, size in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            guard getpwnam_r(name, &entry, buffer, size, &found) == 0, found != nil else { return nil }
            return (entry.pw_uid, entry.pw_gid)
        }
    }

    static func group(named name: String) -> gid_t? {
        withLookupBuffer { buffer, size in
            var entry = Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            guard getgrnam_r(name, &entry, buffer, size, &found) == 0, found != nil else { return nil }
            return entry.gr_gid
        }
    }

    static func groupName(_ id: gid_t) -> String {
        withLookupBuffer { buffer, size in
            var entry = Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            guard getgrgid_r(id, &entry, buffer, size, &found) == 0, found != nil, let name = entry.gr_name else {
                return nil
            }
            return String(cString: name)
        } ?? "\(id)"
    }

    private static func groups(of name: String, primary: gid_t) -> Set<gid_t> {
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(name, primary, &groups, &count) >= 0 else { return [primary] }
        return Set(groups.prefix(Int(count)))
    }

    private static func withLookupBuffer<Found>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Found?) -> Found? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
            buffer.baseAddress.flatMap { body($0, buffer.count) }
        }
    }
}
