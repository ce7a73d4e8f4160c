import CarpelAPI
import CarpelCore
import CarpelRuntime
import Glibc
import NIOCore

/// Who is at the other end of a connection. The members lie as in the kernel's `struct ucred`, which
/// glibc hides from Swift.
struct Peer: Sendable {
    let processID: Int32
    let userID: UInt32
    let groupID: UInt32

    /// Source: unix(7), SO_PEERCRED.
    static func of(_ channel: any Channel) async throws -> Peer {
        guard let options = channel as? any SocketOptionProvider else {
            throw CarpelError(.internal, "peerUnknown", "the connection does not tell who is at its other end")
        }
        return try await options.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED)).get()
    }

    /// Root, the daemon's own user and the admin group may do everything, unless the configuration
    /// makes them viewers; the listed viewers may look. Nil for everybody else.
    func role(in configuration: SocketConfiguration) -> Role? {
        if configuration.viewUsers.contains(userID) { return .view }
        if userID == 0 || userID == geteuid() { return .admin }
        return isMember(of: configuration.adminGroup) ? .admin : nil
    }

    private func isMember(of group: String) -> Bool {
        guard let wanted = GroupDatabase.id(of: group) else { return false }
        return groupID == wanted || GroupDatabase.groups(ofUser: userID, primary: groupID).contains(wanted)
    }
}

enum GroupDatabase {
    static func id(of name: String) -> UInt32? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }

    static func groups(ofUser id: UInt32, primary: UInt32) -> [UInt32] {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return [] }
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(entry.pw_name, primary, &groups, &count) >= 0 else { return [] }
        return Array(groups.prefix(Int(count)))
    }
}
