import CLinux
import CarpelGuestProtocol
import Glibc

/// Small files, read and written whole.
enum Files {
    /// - Throws: `GuestFailure` with the errno, also if the file is longer than `limit`.
    static func read(_ path: String, limit: Int = 1 << 20) throws(GuestFailure) -> [UInt8] {
        let file = Descriptor(try check(open(path, O_RDONLY | O_CLOEXEC), "open \(path)"))
        return try read(file, path, limit: limit)
    }

    /// Reads `path` as seen by a process whose root is `root`. Nil if it is not a regular file there.
    /// Whatever the image made of that path (a device, a pipe, a link out of the root) does no harm.
    static func read(_ path: String, inside root: String, limit: Int = 1 << 20) throws(GuestFailure) -> [UInt8]? {
        let number = carpel_open_inside(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { return nil }
        let file = Descriptor(number)
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return try read(file, path, limit: limit)
    }

    private static func read(_ file: Descriptor, _ path: String, limit: Int) throws(GuestFailure) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while content.count <= limit {
            let count = Glibc.read(file.number, &chunk, chunk.count)
            if count == 0 { return content }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno, .system, "read \(path)")
            }
            content.append(contentsOf: chunk[..<count])
        }
        throw failure(EFBIG, .system, "read \(path)")
    }

    /// The file's text without the line end, nil if it cannot be read.
    static func line(_ path: String) -> String? {
        guard let bytes = try? read(path, limit: 4096) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0 }, as: UTF8.self)
    }

    /// Writes with one system call, as the kernel's own files want it.
    static func write(
        _ content: String, to path: String, reason: GuestFailure.Reason = .system
    ) throws(GuestFailure) {
        let file = Descriptor(try check(open(path, O_WRONLY | O_CLOEXEC), reason, "open \(path)"))
        let bytes = Array(content.utf8)
        guard Glibc.write(file.number, bytes, bytes.count) == bytes.count else {
            throw failure(errno, reason, "write \(content) to \(path)")
        }
    }

    /// Makes or replaces the content of `path`.
    static func put(_ content: String, at path: String) throws(GuestFailure) {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        let file = Descriptor(try check(number, "create \(path)"))
        var rest = Array(content.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(errno, .system, "write \(path)") }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes a directory and its parents.
    static func makeDirectory(_ path: String) throws(GuestFailure) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o755) < 0, errno != EEXIST { throw failure(errno, .system, "make \(made)") }
        }
    }

    /// What a symbolic link holds.
    static func link(_ path: String) throws(GuestFailure) -> String {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &target, target.count)
        guard count >= 0 else { throw failure(errno, .system, "read the link \(path)") }
        return String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Not of a symbolic link to one.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory, sorted; none if there is no such directory.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
