import CarpelGuestProtocol
import Glibc

/// The users and groups of an image. A static executable cannot ask the C library for them.
///
/// Source: passwd(5), group(5); which groups apply: CRI, `LinuxContainerSecurityContext.run_as_user` and following.
struct UserDatabase {
    struct Identity: Equatable {
        var uid: UInt32
        var gid: UInt32
        var groups: [UInt32]
        var home: String
    }

    private struct User {
        var name: Substring
        var uid: UInt32
        var gid: UInt32
        var home: Substring
    }

    private struct Group {
        var name: Substring
        var gid: UInt32
        var members: [Substring]
    }

    private let users: [User]
    private let groups: [Group]

    /// Reads /etc/passwd and /etc/group of the image at `root`; either may be missing.
    init(root: String) throws(GuestFailure) {
        self.init(
            passwd: String(decoding: try Files.read("/etc/passwd", inside: root) ?? [], as: UTF8.self),
            group: String(decoding: try Files.read("/etc/group", inside: root) ?? [], as: UTF8.self))
    }

    init(passwd: String, group: String) {
        users = Self.entries(passwd).compactMap { fields in
            guard fields.count >= 6, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], uid: uid, gid: gid, home: fields[5])
        }
        groups = Self.entries(group).compactMap { fields in
            guard fields.count >= 4, let gid = UInt32(fields[2]) else { return nil }
            return Group(name: fields[0], gid: gid, members: fields[3].split(separator: ","))
        }
    }

    private static func entries(_ text: String) -> [[Substring]] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }

    func resolve(_ user: ProcessSpec.User) throws(GuestFailure) -> Identity {
        let parts = user.name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first ?? ""
        let entry = try find(user: name)
        var gid = entry?.gid ?? 0
        if parts.count == 2, !parts[1].isEmpty { gid = try find(group: parts[1]) }
        if let group = user.group { gid = group }

        let uid = entry?.uid ?? UInt32(name) ?? 0
        var groups = [gid]
        if user.mergeImageGroups, let entry {
            groups += self.groups.filter { $0.members.contains(entry.name) }.map(\.gid)
        }
        groups += user.additionalGroups
        var seen: Set<UInt32> = []
        let home = entry.map { String($0.home) } ?? ""
        return Identity(
            uid: uid, gid: gid, groups: groups.filter { seen.insert($0).inserted }, home: home.isEmpty ? "/" : home)
    }

    /// Nil for a number that the database does not know.
    private func find(user name: Substring) throws(GuestFailure) -> User? {
        if name.isEmpty { return users.first { $0.uid == 0 } }
        if let user = users.first(where: { $0.name == name }) { return user }
        // The highest number means "no change" to the kernel.
        guard let uid = UInt32(name), uid != .max else {
            throw GuestFailure(.userNotFound, "the image's /etc/passwd has no user \(name)")
        }
        return users.first { $0.uid == uid }
    }

    private func find(group name: Substring) throws(GuestFailure) -> UInt32 {
        if let group = groups.first(where: { $0.name == name }) { return group.gid }
        guard let gid = UInt32(name), gid != .max else {
            throw GuestFailure(.groupNotFound, "the image's /etc/group has no group \(name)")
        }
        return gid
    }
}
