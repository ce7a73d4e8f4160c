import CarpelCore
import CarpelRuntime
import Foundation

/// Keeps a second daemon away from the same folders. The kernel gives it back when the process dies.
final class DaemonLock {
    private var descriptors: [Int32] = []

    /// - Throws: `ALREADY_EXISTS` if another daemon holds one of the folders.
    init(_ paths: NodePaths) throws {
        for folder in [paths.root, paths.state] { try lock(folder) }
    }

    deinit { descriptors.forEach { close($0) } }

    private func lock(_ folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        let path = "\(folder)/carpeld.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CarpelError(
                .permissionDenied, "folderNotWritable",
                "cannot write \(path): \(String(cString: strerror(errno))); run as root or choose --root and --state")
        }
        descriptors.append(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw CarpelError(
                .alreadyExists, "daemonRunning", "another carpeld uses \(folder); stop it or choose another folder")
        }
    }
}
