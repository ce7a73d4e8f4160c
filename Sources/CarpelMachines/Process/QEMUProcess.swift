import CKVM
import CarpelCore
import Dispatch
import Foundation
import Glibc

/// A QEMU process, watched by a pidfd: its death is known within milliseconds, whatever libvirt is doing, and the
/// number cannot come to mean another process.
///
/// The process is never waited for: it is not this process's child, and reaping children under libvirt breaks it.
final class QEMUProcess: Sendable {
    let id: Int32
    private let descriptor: Int32
    private let gone = OneShot<Void>()

    /// - Returns: Nil if the process that libvirt wrote down is not there any more.
    init?(pidFile: String, uuid: String) {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8),
            let id = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return nil }
        self.id = id
        let descriptor = pidfd_open(id, 0)
        guard descriptor >= 0 else { return nil }
        // Read after the descriptor was opened, so that both are about the same process.
        guard let command = FileManager.default.contents(atPath: "/proc/\(id)/cmdline"),
            command.split(separator: 0).contains(where: { $0.elementsEqual(uuid.utf8) })
        else {
            Glibc.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        watch()
    }

    private func watch() {
        // A copy, so that the one that signals are sent through never is another file's number.
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        let source = DispatchSource.makeReadSource(fileDescriptor: copy, queue: .global())
        source.setEventHandler { [gone] in
            gone.fulfil(())
            source.cancel()
        }
        source.setCancelHandler { Glibc.close(copy) }
        source.activate()
    }

    deinit { Glibc.close(descriptor) }

    var hasEnded: Bool { gone.value != nil }

    /// - Returns: Whether the process has ended; false if the waiting task was cancelled.
    @discardableResult
    func waitForEnd() async -> Bool { await gone.wait() != nil }

    /// Does nothing to a process that has ended.
    func kill() { _ = pidfd_send_signal(descriptor, SIGKILL, nil, 0) }
}
