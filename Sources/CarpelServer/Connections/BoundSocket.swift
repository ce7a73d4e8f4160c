import CarpelCore
import Glibc
import NIOCore

/// A Unix socket at a path, which does not listen yet: nobody can connect.
///
/// Its file gets its mode without the umask, which is that of every thread of the process.
struct BoundSocket: ~Copyable {
    private let path: String
    /// -1 once it has been taken.
    private var descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Binds one in place of one that a dead daemon left; its file is its owner's alone.
    static func at(_ path: String) throws -> BoundSocket {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
            throw CarpelError(
                .invalidArgument, "pathTooLong",
                "the socket's path \(path) has more than 107 bytes; use a shorter --state")
        }
        let socket = BoundSocket(
            path: path, descriptor: Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        try socket.check(socket.descriptor >= 0, "make")
        try socket.removeFile()
        // Linux gives the file the mode of the socket itself, less the umask. Source: unix(7).
        try socket.check(fchmod(socket.descriptor, 0o600) == 0, "protect")
        let result = address.withSockAddr { Glibc.bind(socket.descriptor, $0, socklen_t($1)) }
        try socket.check(result == 0, "bind")
        return socket
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Lets a group connect as soon as the socket listens.
    func admit(group: UInt32?) throws {
        // Only root can give it away; another user's daemon serves that user.
        if let group { chown(path, 0, group) }
        try check(chmod(path, 0o660) == 0, "open its group")
    }

    /// - Returns: the descriptor, which is the caller's from now on.
    consuming func take() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    private func removeFile() throws {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw CarpelError(
                .failedPrecondition, "socketPathTaken",
                "\(path) is there and is no socket; move it away, or choose another --state")
        }
        try check(unlink(path) == 0 || errno == ENOENT, "replace")
    }

    private func check(_ isDone: Bool, _ step: String) throws {
        guard !isDone else { return }
        throw CarpelError(
            .failedPrecondition, "socketUnusable",
            "cannot \(step) the socket \(path): \(String(cString: strerror(errno))); mend it, or choose another --state"
        )
    }
}
