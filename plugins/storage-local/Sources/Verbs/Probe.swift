import CarpelPluginSDK
import FoundationEssentials
import Glibc

extension StorageLocal {
    public func getCapacity() async throws -> GetCapacityResponse {
        try await pool.perform([]) { _ in try pool.capacity() }
    }

    /// Tries what every verb needs, and tells of records that cannot be read: the other volumes go on working.
    public func probe() async throws {
        try await pool.perform([]) { _ in
            for program in Tools.Program.allCases { _ = try program.path() }
            try pool.folders.requirePassage()
            let trial = "\(pool.folders.temporary)/\(makeIdentifier()).json"
            defer { unlink(trial) }
            try writeFile(trial, Data("{}".utf8))
            guard let unreadable = pool.read({ $0.unreadable.first }) else { return }
            throw PluginError(
                .dataLoss, "recordsUnreadable",
                "a record could not be read and lies in \(unreadable): mend it and put it back, or remove it, and "
                    + "reload the plugin; until then nothing is collected")
        }
    }
}

extension PoolFolders {
    /// - Throws: ``PluginError`` with `poolUnreachable` if machines cannot get to the disks.
    func requirePassage() throws {
        var folder = volumes.path
        while folder.count > 1 {
            if let status = try fileStatus(folder), !isPassable(status) {
                throw PluginError(
                    .failedPrecondition, "poolUnreachable",
                    "\(folder) is closed to machines: chmod o+x it, or chgrp it to the group \(machineGroup)")
            }
            folder = String(folder.prefix(upTo: folder.lastIndex(of: "/") ?? folder.startIndex))
        }
    }

    private func isPassable(_ folder: stat) -> Bool {
        // A symbolic link is followed with its target's permissions.
        if folder.st_mode & S_IFMT == S_IFLNK { return true }
        return folder.st_mode & (folder.st_gid == machineGroup ? S_IXGRP : S_IXOTH) != 0
    }
}
