import CArchive
import CarpelCore
import Foundation

/// Unpacks a tar archive that a container sent, and that may be hostile: nothing is written but below its new name, no
/// link is followed, and neither devices nor set-uid and set-gid bits are taken over.
enum TarReader {
    /// - Parameters:
    ///   - name: what the archive's one file or folder becomes, in the current folder.
    ///   - descriptor: where the archive comes from; it is left open.
    static func unpack(_ descriptor: Int32, name: ArchiveName) throws {
        guard let archive = archive_read_new(), let disk = archive_write_disk_new() else {
            throw CarpelError(.resourceExhausted, "copyFailed", "copy: out of memory")
        }
        defer {
            archive_write_free(disk)
            archive_read_free(archive)
        }
        archive_read_support_format_tar(archive)
        archive_read_support_format_empty(archive)
        archive_write_disk_set_options(
            disk,
            ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_NODOTDOT
                | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS | ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_UNLINK)
        try check(archive_read_open_fd(archive, descriptor, 64 << 10), archive)
        var entry: OpaquePointer?
        while true {
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF { break }
            try check(result, archive)
            guard let entry else { break }
            try unpack(entry, name, from: archive, to: disk)
        }
        try check(archive_write_close(disk), disk)
    }

    private static func unpack(
        _ entry: OpaquePointer, _ name: ArchiveName, from archive: OpaquePointer, to disk: OpaquePointer
    ) throws {
        let path = archive_entry_pathname(entry).map { String(cString: $0) } ?? ""
        let kind = archive_entry_filetype(entry)
        let hardLink = archive_entry_hardlink(entry).map { String(cString: $0) }
        guard hardLink != nil || [S_IFREG, S_IFDIR, S_IFLNK].contains(kind) else {
            return Console.complain("\(path) is a device, a pipe or a socket: it is left out")
        }
        archive_entry_set_pathname(entry, try name.renamed(path))
        if let hardLink { archive_entry_set_hardlink(entry, try name.renamed(hardLink)) }
        archive_entry_set_perm(entry, archive_entry_perm(entry) & ~(S_ISUID | S_ISGID))
        try check(archive_write_header(disk, entry), disk)
        while true {
            var start: UnsafeRawPointer?
            var size = 0
            var offset: la_int64_t = 0
            let result = archive_read_data_block(archive, &start, &size, &offset)
            if result == ARCHIVE_EOF { break }
            try check(result, archive)
            let written = archive_write_data_block(disk, start, size, offset)
            guard written >= 0 else { return try check(Int32(truncatingIfNeeded: written), disk) }
        }
        try check(archive_write_finish_entry(disk), disk)
    }
}
