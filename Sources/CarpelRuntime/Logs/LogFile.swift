import CarpelCore
import Foundation

/// A file that a log is written to.
struct LogFile {
    /// A file, whatever its name is now.
    struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64
    }

    let identity: Identity
    private let path: String
    private let descriptor: FileDescriptorBox
    private(set) var length: Int64

    /// Opens the file at `path`, and makes it and its folder if need be.
    init(_ path: String) throws {
        let opened = try Self.open(path)
        descriptor = FileDescriptorBox(opened)
        var status = stat()
        guard fstat(opened, &status) == 0 else { throw CarpelError.log("look at", path, errno) }
        self.path = path
        identity = Identity(status)
        length = Int64(status.st_size)
    }

    private static func open(_ path: String) throws -> Int32 {
        let open = { Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640) }
        var opened = open()
        if opened < 0, errno == ENOENT {
            // What keeps it from being made, the file's own error tells.
            let folder = (path as NSString).deletingLastPathComponent
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            opened = open()
        }
        guard opened >= 0 else { throw CarpelError.log("open", path, errno) }
        return opened
    }

    /// Appends all of `text`, or nothing.
    mutating func append(_ text: [UInt8]) throws {
        var written = 0
        while written < text.count {
            let count = text.withUnsafeBytes {
                write(descriptor.number, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                let error = errno
                ftruncate(descriptor.number, off_t(length))
                throw CarpelError.log("write to", path, error)
            }
            written += count
        }
        length += Int64(written)
    }

    /// Finds the file that was written to `path` once, and has its name in that folder or one that begins with it, as
    /// rotated logs do.
    static func find(_ identity: Identity, writtenTo path: String) -> (path: String, length: Int64)? {
        let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for candidate in names where candidate.hasPrefix(name) {
            var status = stat()
            guard stat("\(folder)/\(candidate)", &status) == 0, Identity(status) == identity else { continue }
            return ("\(folder)/\(candidate)", Int64(status.st_size))
        }
        return nil
    }
}

extension LogFile.Identity {
    init(_ status: stat) { self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }
}

/// Closes the descriptor with its last owner.
final class FileDescriptorBox: Sendable {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { close(number) }
}
