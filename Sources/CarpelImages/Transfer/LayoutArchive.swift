import CArchive
import CarpelCore
import Glibc

/// A new tar, the same for the same image.
final class LayoutArchive: ExportTarget {
    private let archive: OpaquePointer
    private let file: File

    init(_ path: String) throws {
        file = try File(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        guard let archive = archive_write_new() else { throw CarpelError.system(ENOMEM, "open \(path)") }
        self.archive = archive
        archive_write_set_format_pax_restricted(archive)
        try check(archive_write_open_fd(archive, file.descriptor))
    }

    deinit { archive_write_free(archive) }

    func add(_ name: String, _ bytes: [UInt8]) throws {
        try begin(name, size: Int64(bytes.count))
        try bytes.withUnsafeBytes { try write($0) }
    }

    func add(_ name: String, contentsOf source: File) throws {
        try begin(name, size: try source.size())
        try source.forEachChunk { try write($0) }
    }

    func finish() throws {
        try check(archive_write_close(archive))
        try file.synchronize()
    }

    private func begin(_ name: String, size: Int64) throws {
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, name)
        archive_entry_set_filetype(entry, UInt32(S_IFREG))
        archive_entry_set_perm(entry, 0o644)
        archive_entry_set_size(entry, size)
        archive_entry_set_mtime(entry, 0, 0)
        try check(archive_write_header(archive, entry))
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        let count = archive_write_data(archive, bytes.baseAddress, bytes.count)
        guard count == bytes.count else { throw failure() }
    }

    private func check(_ result: Int32) throws {
        guard result == ARCHIVE_OK || result == ARCHIVE_WARN else { throw failure() }
    }

    private func failure() -> CarpelError { CarpelError.system(archive_errno(archive), "write \(file.path)") }
}
