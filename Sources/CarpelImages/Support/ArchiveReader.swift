import CArchive
import CarpelCore

/// Reads an archive with libarchive: the entries of a tar, or the bytes behind a compression.
///
/// Used by one thread at a time.
final class ArchiveReader {
    /// Gives the next bytes of the input, empty at its end. They stay valid until the next call.
    typealias Source = () throws -> UnsafeRawBufferPointer

    enum Format {
        /// The entries of a tar, plain or compressed with gzip or zstd.
        case compressedTar
        /// The entries of a plain tar.
        case tar
        /// One entry: the input without its compression by gzip or zstd, if it has one.
        case bytes
    }

    private let archive: OpaquePointer
    private let source: Source
    private let what: String
    /// What the source threw; libarchive only learns that it failed.
    private var failure: (any Error)?

    /// - Parameter what: names the archive in errors.
    init(_ format: Format, what: String, source: @escaping Source) throws {
        guard let archive = archive_read_new() else { throw CarpelError.system(12, "open \(what)") }
        self.archive = archive
        self.source = source
        self.what = what
        if format != .tar {
            archive_read_support_filter_gzip(archive)
            archive_read_support_filter_zstd(archive)
        }
        if format == .bytes {
            archive_read_support_format_raw(archive)
        } else {
            archive_read_support_format_tar(archive)
        }
        archive_read_support_format_empty(archive)
        let reader = Unmanaged.passUnretained(self).toOpaque()
        let result = archive_read_open(
            archive, reader, nil,
            { _, reader, bytes in
                guard let reader else { return -1 }
                return Unmanaged<ArchiveReader>.fromOpaque(reader).takeUnretainedValue().supply(bytes)
            }, nil)
        try check(result)
    }

    deinit { archive_read_free(archive) }

    private func supply(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        do {
            let chunk = try source()
            bytes?.pointee = chunk.baseAddress
            return chunk.count
        } catch {
            failure = error
            return -1
        }
    }

    /// The next entry, valid until the next call; nil at the end.
    func next() throws -> ArchiveEntry? {
        var entry: OpaquePointer?
        let result = archive_read_next_header(archive, &entry)
        if result == ARCHIVE_EOF { return nil }
        try check(result)
        return entry.map(ArchiveEntry.init)
    }

    /// Calls `body` with the data of the current entry, in order; what lies between is zero.
    func forEachBlock(_ body: (UnsafeRawBufferPointer, _ offset: UInt64) throws -> Void) throws {
        while let (bytes, offset) = try nextBlock() { try body(bytes, offset) }
    }

    /// The next piece of the current entry's data, valid until the next call; nil at its end.
    func nextBlock() throws -> (UnsafeRawBufferPointer, UInt64)? {
        var pointer: UnsafeRawPointer?
        var size = 0
        var offset: la_int64_t = 0
        let result = archive_read_data_block(archive, &pointer, &size, &offset)
        if result == ARCHIVE_EOF { return nil }
        try check(result)
        return (UnsafeRawBufferPointer(start: pointer, count: size), UInt64(max(0, offset)))
    }

    /// A warning is no failure: libarchive warns about names that the locale cannot say, and we take bytes.
    private func check(_ result: Int32) throws {
        if let failure { throw failure }
        guard result == ARCHIVE_OK || result == ARCHIVE_WARN else {
            let words = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
            throw CarpelError(.dataLoss, "unreadableArchive", "\(what) is damaged or no tar archive: \(words)")
        }
    }
}
