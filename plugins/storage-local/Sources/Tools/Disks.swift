import CarpelPluginSDK
import Glibc

extension Tools {
    /// Makes an empty disk in a file that is not there yet.
    ///
    /// - Parameter path: without the format's suffix, which is added. What an end in the middle leaves begins with it.
    /// - Returns: the file, on disk.
    func makeDisk(_ content: VolumeContent, bytes: Int64, at path: String) async throws -> String {
        let disk = "\(path).\(content.format.rawValue)"
        guard let fileSystem = content.fileSystem else {
            switch content.format {
            case .raw: try makeSparseFile(disk, bytes: bytes)
            case .qcow2: try await run(.qemuImage, ["create", "-q", "-f", "qcow2", disk, String(bytes)])
            }
            try syncToDisk(disk)
            return disk
        }
        let raw = "\(path).raw"
        try makeSparseFile(raw, bytes: bytes)
        try await format(raw, as: fileSystem)
        if content.format == .qcow2 {
            // mkfs writes to files and devices only, and a device would take a privilege.
            try await run(.qemuImage, ["convert", "-q", "-f", "raw", "-O", "qcow2", raw, disk])
            unlink(raw)
        }
        try syncToDisk(disk)
        return disk
    }

    private func makeSparseFile(_ path: String, bytes: Int64) throws {
        try OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600).setLength(bytes)
    }

    private func format(_ file: String, as fileSystem: FileSystem) async throws {
        switch fileSystem {
        case .ext4:
            // The file is all holes: with the tables marked as zeroed the guest's kernel does not fill them later.
            try await run(
                .mkfsExt4,
                ["-q", "-F", "-m", "0", "-E", "nodiscard,assume_storage_prezeroed=1,root_owner=0:0", file])
        case .xfs: try await run(.mkfsXFS, ["-q", "-K", file])
        }
    }

    /// Makes a disk that nobody has open longer, if it is shorter.
    func lengthen(_ file: String, _ format: DiskFormat, to bytes: Int64) async throws {
        guard try diskLength(file, format) < bytes else { return }
        switch format {
        case .raw:
            let file = try OpenFile(file, O_WRONLY)
            try file.setLength(bytes)
            try file.sync()
        case .qcow2:
            try await run(.qemuImage, ["resize", "-q", "-f", "qcow2", file, String(bytes)])
            try syncToDisk(file)
        }
    }

    /// Makes sure that a copy of a disk that a machine had open is whole.
    ///
    /// - Throws: ``PluginError`` with `diskDamaged`.
    func checkCopy(_ file: String, _ format: DiskFormat) async throws {
        guard format == .qcow2 else { return }
        do {
            // 3: clusters that nothing uses, which QEMU leaves where it is stopped at any moment; they do no harm.
            try await run(.qemuImage, ["check", "-q", "-f", "qcow2", file], accepted: [0, 3])
        } catch let error as PluginError where error.reason == "toolFailed" {
            throw PluginError(
                .failedPrecondition, "diskDamaged",
                "the copy would not be whole: freeze the file system of the machine that has it. \(error.message)")
        }
    }
}
