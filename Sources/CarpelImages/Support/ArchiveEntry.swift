import CArchive
import Glibc

/// The header of an entry that an ``ArchiveReader`` stands at. Names are bytes, as they are in the archive.
struct ArchiveEntry {
    private let entry: OpaquePointer

    init(_ entry: OpaquePointer) { self.entry = entry }

    var path: [UInt8] { Self.bytes(archive_entry_pathname(entry)) ?? [] }
    var hardLink: [UInt8]? { Self.bytes(archive_entry_hardlink(entry)) }
    var symbolicLink: [UInt8] { Self.bytes(archive_entry_symlink(entry)) ?? [] }
    /// Type and permissions.
    var mode: mode_t { archive_entry_mode(entry) }
    var type: mode_t { archive_entry_filetype(entry) }
    var size: UInt64 { UInt64(max(0, archive_entry_size(entry))) }
    var uid: Int64 { archive_entry_uid(entry) }
    var gid: Int64 { archive_entry_gid(entry) }
    var modified: Int64 { Int64(archive_entry_mtime(entry)) }
    var modifiedNanoseconds: Int { archive_entry_mtime_nsec(entry) }
    var major: UInt32 { UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)) }
    var minor: UInt32 { UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)) }

    var extendedAttributes: [(name: String, value: [UInt8])] {
        archive_entry_xattr_reset(entry)
        var attributes: [(name: String, value: [UInt8])] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK {
            guard let name else { continue }
            attributes.append((String(cString: name), Array(UnsafeRawBufferPointer(start: value, count: size))))
        }
        return attributes
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8]? {
        guard let text else { return nil }
        return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
