import CarpelCore
import Glibc

/// What the store asks of the file system, with errors that say what was being done.
enum FileSystem {
    /// Makes the directory unless it is there, and gives it `mode` whatever the umask is.
    static func makeDirectory(_ path: String, mode: mode_t) throws {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw CarpelError.system(errno, "mkdir \(path)") }
        guard chmod(path, mode) == 0 else { throw CarpelError.system(errno, "chmod \(path)") }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Size of a regular file; nil if there is none.
    static func fileSize(_ path: String) -> Int64? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(status.st_size)
    }

    /// Renames and makes the new name durable.
    static func move(_ source: String, to destination: String) throws {
        guard rename(source, destination) == 0 else {
            throw CarpelError.system(errno, "rename \(source) to \(destination)")
        }
        try synchronizeDirectory(parent(of: destination))
    }

    /// Removes one file; fine if it is gone already.
    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw CarpelError.system(errno, "remove \(path)") }
    }

    static func synchronizeDirectory(_ path: String) throws {
        try File(path, O_RDONLY | O_DIRECTORY).synchronize()
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Names in the directory, without `.` and `..`.
    static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw CarpelError.system(errno, "list \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Bytes that are free for this process on the file system of `path`.
    static func freeBytes(at path: String) throws -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw CarpelError.system(errno, "statvfs \(path)") }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// - Throws: `.resourceExhausted`/`noSpace` if `count` more bytes would leave less than `reserve` free.
    static func requireSpace(for count: Int64, reserve: ByteCount, at path: String) throws {
        let free = ByteCount(try freeBytes(at: path))
        guard free >= ByteCount(count) + reserve else {
            throw CarpelError(
                .resourceExhausted, "noSpace",
                "\(path) has \(free) free; \(ByteCount(count)) are needed and \(reserve) stay reserved. "
                    + "Remove images or grow the file system")
        }
    }

    /// Writes a whole small file so that a crash leaves the old one or the new one.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t, temporary: String) throws {
        do {
            let file = try File(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            guard fchmod(file.descriptor, mode) == 0 else { throw CarpelError.system(errno, "chmod \(temporary)") }
            try file.synchronize()
            try move(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Reads a whole small file.
    static func contents(of path: String, limit: ByteCount) throws -> [UInt8] {
        let file = try File(path, O_RDONLY)
        let size = try file.size()
        guard size <= limit.bytes else {
            throw CarpelError(.resourceExhausted, "documentTooLarge", "\(path) has \(ByteCount(size)), limit \(limit)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        try file.forEachChunk { bytes.append(contentsOf: $0) }
        return bytes
    }
}
