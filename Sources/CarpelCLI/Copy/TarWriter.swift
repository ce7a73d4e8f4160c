import CArchive
import CarpelCore
import Foundation

/// Writes a file or folder of this machine as a tar archive that every tar can read.
///
/// Modes and times are kept, owners are not: everything is root's. Links are kept as links.
enum TarWriter {
    /// - Parameters:
    ///   - name: what `path` is called in the archive.
    ///   - descriptor: where the archive goes; it is left open.
    static func write(_ path: String, as name: String, to descriptor: Int32) throws {
        guard let archive = archive_write_new(), let disk = archive_read_disk_new(), let entry = archive_entry_new()
        else { throw failure("copy \(path)", nil) }
        defer {
            archive_entry_free(entry)
            archive_read_free(disk)
            archive_write_free(archive)
        }
        archive_write_set_format_gnutar(archive)
        archive_write_set_bytes_in_last_block(archive, 1)
        try check(archive_write_open_fd(archive, descriptor), archive)
        archive_read_disk_set_symlink_physical(disk)
        try check(archive_read_disk_open(disk, path), disk)
        while true {
            archive_entry_clear(entry)
            let result = archive_read_next_header2(disk, entry)
            if result == ARCHIVE_EOF { break }
            try check(result, disk)
            if archive_entry_filetype(entry) == S_IFDIR { archive_read_disk_descend(disk) }
            try writeEntry(entry, of: path, as: name, from: disk, to: archive)
        }
        try check(archive_write_close(archive), archive)
    }

    private static func writeEntry(
        _ entry: OpaquePointer, of path: String, as name: String, from disk: OpaquePointer, to archive: OpaquePointer
    ) throws {
        let here = archive_entry_pathname(entry).map { String(cString: $0) } ?? ""
        let kind = archive_entry_filetype(entry)
        // A socket means nothing elsewhere, and a tar has no word for it.
        guard kind != S_IFSOCK else { return }
        archive_entry_set_pathname(entry, name + here.dropFirst(path.count))
        archive_entry_set_uid(entry, 0)
        archive_entry_set_gid(entry, 0)
        archive_entry_set_uname(entry, nil)
        archive_entry_set_gname(entry, nil)
        try check(archive_write_header(archive, entry), archive)
        guard kind == S_IFREG, archive_entry_size(entry) > 0 else { return }
        try copyData(from: disk, to: archive)
    }

    private static func copyData(from disk: OpaquePointer, to archive: OpaquePointer) throws {
        var written: Int64 = 0
        while true {
            var start: UnsafeRawPointer?
            var size = 0
            var offset: la_int64_t = 0
            let result = archive_read_data_block(disk, &start, &size, &offset)
            if result == ARCHIVE_EOF { return }
            try check(result, disk)
            try writeZeros(Int(offset - written), to: archive)
            guard archive_write_data(archive, start, size) == size else { throw failure("copy", archive) }
            written = offset + Int64(size)
        }
    }

    /// The holes of a file. What is missing at its end libarchive adds.
    private static func writeZeros(_ count: Int, to archive: OpaquePointer) throws {
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        var left = count
        while left > 0 {
            let size = min(left, zeros.count)
            guard archive_write_data(archive, zeros, size) == size else { throw failure("copy", archive) }
            left -= size
        }
    }
}

/// libarchive warns of what it cannot say in some format, such as an owner: that is no failure.
func check(_ result: Int32, _ archive: OpaquePointer) throws {
    guard result == ARCHIVE_OK || result == ARCHIVE_WARN else { throw failure("copy", archive) }
}

private func failure(_ activity: String, _ archive: OpaquePointer?) -> CarpelError {
    let words = archive.flatMap { archive_error_string($0) }.map { String(cString: $0) } ?? "out of memory"
    return CarpelError(.failedPrecondition, "copyFailed", "\(activity): \(words)")
}
