import CFileSystem
import CarpelCore
import Foundation
import Glibc

/// virtiofsd, as libvirt is to start it.
///
/// libvirt starts it beside QEMU, in the same control group and independent of this process, and it ends when QEMU
/// does. What libvirt cannot say is `announce_submounts`, without which files of different file systems of the host
/// have the same device and inode number in the guest, and the guest holds on to what has been unbound long ago.
/// So libvirt starts a script, which adds the option. It lies in memory: `/run` is mounted `noexec` in places.
final class SharedFolderDaemon: Sendable {
    private static let places = [
        "/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/libexec/qemu/virtiofsd",
    ]

    /// What libvirt executes, for as long as this object lives.
    let path: String
    private let script: Int32

    /// virtiofsd's binary, or why there is none that can be used.
    static func find(_ configuration: MachinesConfiguration) -> Result<String, Unavailable> {
        guard configuration.virtiofs == .auto else {
            return .failure(Unavailable(reason: "the configuration says 'virtiofs: off'", fix: nil))
        }
        let candidates = configuration.virtiofsDaemon.map { [$0] } ?? places
        guard let binary = candidates.first(where: { access($0, X_OK) == 0 }) else {
            let missing = configuration.virtiofsDaemon ?? "virtiofsd in \(places.map(folder).joined(separator: ", "))"
            return .failure(
                Unavailable(reason: "there is no \(missing)", fix: "install virtiofsd (Debian 12: qemu-system-common)"))
        }
        return .success(binary)
    }

    struct Unavailable: Error {
        let reason: String
        let fix: String?
    }

    private static func folder(_ path: String) -> String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    /// - Throws: `CarpelError` with `.unavailable` and `virtiofsUnusable`.
    init(binary: String) throws {
        let quoted = "'" + binary.replacing("'", with: #"'\''"#) + "'"
        let content = Array("#!/bin/sh\nexec \(quoted) \"$@\" -o announce_submounts\n".utf8)
        let writer = carpel_memfd("carpel-virtiofsd")
        defer { close(writer) }
        // A file that somebody may write cannot be executed, hence a descriptor of its own for reading.
        guard writer >= 0, write(writer, content, content.count) == content.count, fchmod(writer, 0o500) == 0,
            case let reader = open("/proc/self/fd/\(writer)", O_RDONLY | O_CLOEXEC), reader >= 0
        else {
            throw CarpelError(
                .unavailable, "virtiofsUnusable", "making virtiofsd's script: \(String(cString: strerror(errno)))")
        }
        script = reader
        path = "/proc/\(getpid())/fd/\(reader)"
    }

    deinit { close(script) }
}
