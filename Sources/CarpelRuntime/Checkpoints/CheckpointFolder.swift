import CarpelCore
import Foundation
import Glibc

/// The caller's folder with a checkpoint. It is held open: whatever happens to its path, nothing is written elsewhere.
final class CheckpointFolder: Sendable {
    static let state = "machine.state"
    static let scratch = "scratch.raw"
    static func volume(_ index: Int) -> String { "volume-\(index).raw" }

    let path: String
    private let folder: FileDescriptorBox

    /// - Throws: `CarpelError`: `.invalidArgument` with `checkpointPathInvalid`; `.notFound` with `checkpointFolderMissing`.
    init(_ path: String, field: String) throws {
        guard path.hasPrefix("/"), !path.holdsNUL else {
            throw CarpelError.invalid(field, "\"\(path)\" is not an absolute path", reason: "checkpointPathInvalid")
        }
        let opened = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else {
            throw CarpelError(
                .notFound, "checkpointFolderMissing",
                "\(path) cannot be opened as a folder: \(String(cString: strerror(errno)))", field: field)
        }
        (self.path, folder) = (path, FileDescriptorBox(opened))
    }

    /// - Throws: `CarpelError` with `.failedPrecondition` and `checkpointFolderNotEmpty`.
    func requireEmpty() throws {
        guard try names().isEmpty else {
            throw CarpelError(
                .failedPrecondition, "checkpointFolderNotEmpty",
                "\(path) is not empty; give the folder of a new checkpoint", field: "outputPath")
        }
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd/\(folder.number)")
    }

    /// Makes a file that is not there, for the folder's owner only.
    func create(_ name: String) throws -> FileDescriptorBox {
        var owner = stat()
        let file = openat(folder.number, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0, fstat(folder.number, &owner) == 0, fchown(file, owner.st_uid, owner.st_gid) == 0 else {
            throw failure("make \(name)")
        }
        return FileDescriptorBox(file)
    }

    /// - Throws: `CarpelError` with `.failedPrecondition` and `checkpointDamaged`.
    func file(_ name: String) throws -> FileDescriptorBox {
        let file = openat(folder.number, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            throw damaged("\(name) cannot be opened: \(String(cString: strerror(errno)))")
        }
        return FileDescriptorBox(file)
    }

    func damaged(_ message: String) -> CarpelError {
        CarpelError(
            .failedPrecondition, "checkpointDamaged", "\(path) holds no whole checkpoint: \(message)",
            field: "checkpointPath")
    }

    /// Makes the folder a checkpoint: in one step, when all the rest is on disk.
    func finish(_ manifest: CheckpointManifest) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        let partial = Self.partial
        let file = try create(partial)
        try withExtendedLifetime(file) {
            try FileHandle(fileDescriptor: file.number, closeOnDealloc: false)
                .write(contentsOf: try encoder.encode(manifest))
            guard fsync(file.number) == 0,
                renameat(folder.number, partial, folder.number, CheckpointManifest.fileName) == 0,
                fsync(folder.number) == 0
            else { throw failure("write \(CheckpointManifest.fileName)") }
        }
    }

    func manifest() throws -> CheckpointManifest {
        let file = try file(CheckpointManifest.fileName)
        let content = try withExtendedLifetime(file) {
            try FileHandle(fileDescriptor: file.number, closeOnDealloc: false)
                .read(upToCount: CheckpointManifest.largest) ?? Data()
        }
        struct Head: Decodable { var version: Int }
        do {
            let version = try JSONDecoder().decode(Head.self, from: content).version
            guard version == CheckpointManifest.currentVersion else {
                throw CarpelError(
                    .failedPrecondition, "checkpointOtherFormat",
                    "\(path) has format \(version); this Carpel reads format \(CheckpointManifest.currentVersion)",
                    field: "checkpointPath")
            }
            return try JSONDecoder().decode(CheckpointManifest.self, from: content)
        } catch let error as DecodingError {
            throw damaged("\(CheckpointManifest.fileName): \(error)")
        }
    }

    private static let partial = "\(CheckpointManifest.fileName).partial"

    /// Removes what a checkpoint makes, and leaves anything else.
    func removeCheckpoint() throws {
        let fixed = [CheckpointManifest.fileName, Self.partial, Self.state, Self.scratch]
        for name in try names() where fixed.contains(name) || Self.isVolume(name) {
            guard unlinkat(folder.number, name, 0) == 0 || errno == ENOENT else { throw failure("remove \(name)") }
        }
    }

    private static func isVolume(_ name: String) -> Bool { name.hasPrefix("volume-") && name.hasSuffix(".raw") }

    private func failure(_ activity: String) -> CarpelError {
        let isFull = errno == ENOSPC
        return CarpelError(
            isFull ? .resourceExhausted : .failedPrecondition, isFull ? "noSpace" : "checkpointFolderUnusable",
            "\(activity) in \(path): \(String(cString: strerror(errno)))")
    }
}
