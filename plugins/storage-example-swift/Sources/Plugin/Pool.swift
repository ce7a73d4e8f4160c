import CarpelPluginSDK
import FoundationEssentials
import Glibc

/// The folder with the disks' files.
struct Pool {
    let folder: String
    let machineGroup: UInt32

    private static let mebibyte: Int64 = 1 << 20

    /// The file of a volume.
    func disk(of id: String) -> String { "\(folder)/\(id).raw" }

    /// The file of a snapshot.
    func copy(of id: String) -> String { "\(folder)/\(id).snapshot" }

    /// Whole mebibytes, if there is so much.
    func rounded(_ wanted: Int64) throws -> Int64 {
        guard wanted <= (try capacity().availableBytes) else {
            throw PluginError(.resourceExhausted, "poolFull", "there is no room for \(wanted) bytes")
        }
        return (wanted + Self.mebibyte - 1) / Self.mebibyte * Self.mebibyte
    }

    func capacity() throws -> GetCapacityResponse {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw systemError(folder) }
        return GetCapacityResponse(
            capacityBytes: Int64(status.f_blocks * status.f_frsize),
            availableBytes: Int64(status.f_bavail * status.f_frsize))
    }

    func allocatedBytes(of file: String) -> Int64? {
        var status = stat()
        return stat(file, &status) == 0 ? Int64(status.st_blocks) * 512 : nil
    }

    /// Removes the disks' files that are not named: what a crash has left.
    func removeDisks(except known: Set<String>) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let isDisk = name.hasSuffix(".raw") || name.hasSuffix(".snapshot")
            if isDisk, !known.contains("\(folder)/\(name)") { unlink("\(folder)/\(name)") }
        }
    }

    /// Makes a file with a disk's content, in the place of the one that is there: that of `source`, or else an ext4 file
    /// system or nothing. Until it is complete it has another name.
    func makeDisk(_ file: String, _ capacity: Int64, copying source: String?, hasFileSystem: Bool) throws {
        let new = "\(folder)/disk.new"
        unlink(new)
        let disk = open(new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o660)
        guard disk >= 0 else { throw systemError(new) }
        defer { close(disk) }
        do {
            guard fchown(disk, uid_t.max, machineGroup) == 0, fchmod(disk, 0o660) == 0,
                ftruncate(disk, Int(capacity)) == 0
            else { throw systemError(file) }
            if let source {
                let length = try copyContent(of: source, to: disk)
                if hasFileSystem, length < capacity { try growExt4(new) }
            } else if hasFileSystem {
                try run("/usr/sbin/mkfs.ext4", "-q", "-F", new)
            }
            guard fsync(disk) == 0, rename(new, file) == 0 else { throw systemError(file) }
        } catch {
            unlink(new)
            throw error
        }
    }

    func lengthen(_ file: String, to capacity: Int64, hasFileSystem: Bool) throws {
        guard truncate(file, Int(capacity)) == 0 else { throw systemError(file) }
        if hasFileSystem { try growExt4(file) }
    }

    // Of unistd.h, which Swift does not import.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4

    /// Copies what is not a hole, and returns the file's length.
    ///
    /// - Throws: `CancellationError` when the caller no longer wants it.
    private func copyContent(of source: String, to disk: Int32) throws -> Int64 {
        let file = open(source, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw systemError(source) }
        defer { close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(Self.mebibyte), alignment: 4096)
        defer { buffer.deallocate() }
        var start = lseek(file, 0, Self.seekData)
        while start >= 0 {
            let end = lseek(file, start, Self.seekHole)
            while start < end {
                try Task.checkCancellation()
                let length = pread(file, buffer.baseAddress, min(end - start, buffer.count), start)
                guard length > 0, pwrite(disk, buffer.baseAddress, length, start) == length else {
                    throw systemError(source)
                }
                start += length
            }
            start = end < 0 ? end : lseek(file, end, Self.seekData)
        }
        // There is no data after the last one.
        guard errno == ENXIO else { throw systemError(source) }
        return Int64(lseek(file, 0, SEEK_END))
    }

    /// Makes an ext4 file system as large as its file. 1 is e2fsck's code for faults that it has repaired.
    private func growExt4(_ file: String) throws {
        try run("/usr/sbin/e2fsck", "-f", "-p", file, most: 1)
        try run("/usr/sbin/resize2fs", file)
    }
}

/// Runs a program to its end.
///
/// - Parameter most: the largest exit code that is a success.
private func run(_ arguments: String..., most: Int32 = 0) throws {
    let texts = arguments.map { strdup($0) }
    defer { texts.forEach { free($0) } }
    let nothing: [UnsafeMutablePointer<CChar>?] = [nil]
    var child: pid_t = 0
    errno = posix_spawn(&child, arguments[0], nil, nil, texts + [nil], nothing)
    guard errno == 0 else { throw systemError(arguments[0]) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { throw systemError(arguments[0]) } }
    // A status holds the exit code in its second byte, and a signal in its first.
    guard status & 0x7f == 0, status >> 8 <= most else {
        throw PluginError(.internal, "programFailed", "\(arguments[0]) ended with status \(status)")
    }
}
