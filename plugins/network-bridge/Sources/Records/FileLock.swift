import CarpelPluginSDK
import Glibc

/// A file that one process at a time holds: an old version of the plugin may drain while a new one works.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``PluginError`` if the file cannot be made.
    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PluginError(.failedPrecondition, "stateFolderRefused", "cannot open \(path): errno \(errno)")
        }
    }

    deinit { close(descriptor) }

    func hold<Result>(_ body: () throws -> Result) rethrows -> Result {
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
        defer { flock(descriptor, LOCK_UN) }
        return try body()
    }
}
