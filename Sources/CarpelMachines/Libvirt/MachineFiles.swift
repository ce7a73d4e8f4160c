import CarpelCore
import Foundation
import Glibc

/// The files of one machine that are Carpel's to make and to remove.
struct MachineFiles: Sendable {
    let channelPath: String
    let bootLogPath: String?
    /// QEMU's log, if it is kept in a folder of Carpel's.
    let log: String?
    /// The folders that were made for this machine, the outer first.
    private(set) var madeFolders: [String] = []

    init(channelPath: String, bootLogPath: String?, log: String?) {
        (self.channelPath, self.bootLogPath, self.log) = (channelPath, bootLogPath, log)
    }

    /// The longest path of a Unix socket, without its final zero.
    static let longestSocketPath = 107

    /// Makes the folders that are missing, for root only: libvirt opens the files and hands them to QEMU.
    mutating func prepare() throws {
        for path in [channelPath, bootLogPath].compactMap({ $0 }) {
            var folder = ""
            for part in path.split(separator: "/").dropLast() {
                folder += "/\(part)"
                if mkdir(folder, 0o700) == 0 {
                    madeFolders.append(folder)
                } else if errno != EEXIST {
                    throw CarpelError(
                        .failedPrecondition, "stateDirectoryUnusable",
                        "making \(folder): \(String(cString: strerror(errno)))")
                }
            }
        }
    }

    func removeChannel() { unlink(channelPath) }

    /// Once libvirt is done with the machine: its last act is a line in that log.
    func removeLog() {
        guard let log else { return }
        for file in [log, Self.sharedFolderLog(besides: log)] { unlink(file) }
    }

    /// What a virtiofsd has to say, in libvirt's naming, beside QEMU's log.
    static func sharedFolderLog(besides log: String) -> String {
        (log.hasSuffix(".log") ? String(log.dropLast(4)) : log) + "-fs0-virtiofsd.log"
    }

    /// Removes all that a start made. Folders that meanwhile hold something else stay.
    func removeAll() {
        removeChannel()
        removeLog()
        if let bootLogPath { unlink(bootLogPath) }
        for folder in madeFolders.reversed() { rmdir(folder) }
    }
}
