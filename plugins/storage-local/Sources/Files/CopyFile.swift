import CarpelPluginSDK
import Glibc

/// How a file's content got into another file.
enum CopyMethod {
    /// Both share their blocks until one of them is written to; the content is that of one moment.
    case reflink
    /// Block by block, without the holes.
    case blocks
}

/// Copies a disk's file into a new one, which is on disk when this returns.
///
/// Cancelling ends it within about a quarter of a GiB.
/// - Parameter isWrittenTo: the source changes meanwhile: only a reflink gives a content that it ever had.
/// - Throws: ``PluginError``; `volumeInUse` if a reflink is needed and the pool's file system has none;
///   `CancellationError`.
@discardableResult
func copyFile(_ source: String, to target: String, isWrittenTo: Bool = false) throws -> CopyMethod {
    let source = try OpenFile(source, O_RDONLY)
    let target = try OpenFile(target, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    if try reflink(source, to: target) {
        try target.sync()
        return .reflink
    }
    guard !isWrittenTo else {
        throw PluginError(
            .failedPrecondition, "volumeInUse",
            "a block volume that a pod writes to can be copied only where the pool's file system shares blocks "
                + "(xfs, btrfs); stop the pod first")
    }
    try copyBlocks(of: source, to: target)
    try target.sync()
    return .blocks
}

/// - Returns: false if the file system cannot.
private func reflink(_ source: borrowing OpenFile, to target: borrowing OpenFile) throws -> Bool {
    // FICLONE of linux/fs.h, _IOW(0x94, 9, int): Swift does not import such macros.
    let fileClone: UInt = 0x4004_9409
    if ioctl(target.descriptor, fileClone, source.descriptor) == 0 { return true }
    switch errno {
    case EOPNOTSUPP, ENOTTY, EXDEV, EINVAL, ENOSYS: return false
    default: throw systemError("cannot share the blocks of \(source.path)")
    }
}

private func copyBlocks(of source: borrowing OpenFile, to target: borrowing OpenFile) throws {
    try Task.checkCancellation()
    let length = Int64(try source.status().st_size)
    try target.setLength(length)
    var end: Int64 = 0
    var unsynced: Int64 = 0
    while let data = try nextData(in: source, from: end, length: length) {
        var position = data.lowerBound
        while position < data.upperBound {
            try Task.checkCancellation()
            let copied = try copyPiece(of: source, to: target, at: position, atMost: data.upperBound - position)
            // The file became shorter: what is left of it are holes.
            guard copied > 0 else { return }
            position += copied
            unsynced += copied
            // One sync of everything at the end could not be cancelled.
            if unsynced >= 256 << 20 {
                try target.sync()
                unsynced = 0
            }
        }
        end = data.upperBound
    }
}

// Of linux/fs.h, for which Glibc's module would need _GNU_SOURCE.
private let seekData: Int32 = 3
private let seekHole: Int32 = 4

/// The next range that is not a hole.
private func nextData(in file: borrowing OpenFile, from offset: Int64, length: Int64) throws -> Range<Int64>? {
    guard offset < length else { return nil }
    let start = lseek(file.descriptor, off_t(offset), seekData)
    if start < 0, errno == ENXIO { return nil }
    guard start >= 0 else { throw systemError("cannot find the data of \(file.path)") }
    let end = lseek(file.descriptor, start, seekHole)
    guard end > start else { throw systemError("cannot find the holes of \(file.path)") }
    return Int64(start)..<Int64(end)
}

/// sendfile(2) from file to file does what copy_file_range(2) does where blocks cannot be shared; Glibc's module has
/// only the former.
private func copyPiece(
    of source: borrowing OpenFile, to target: borrowing OpenFile, at offset: Int64, atMost count: Int64
) throws -> Int64 {
    var from = off_t(offset)
    guard lseek(target.descriptor, from, SEEK_SET) == from else { throw systemError("cannot write \(target.path)") }
    let copied = sendfile(target.descriptor, source.descriptor, &from, Int(min(count, 16 << 20)))
    if copied < 0, errno == EINTR {
        return try copyPiece(of: source, to: target, at: offset, atMost: count)
    }
    guard copied >= 0 else { throw systemError("cannot copy \(source.path) to \(target.path)") }
    return Int64(copied)
}
