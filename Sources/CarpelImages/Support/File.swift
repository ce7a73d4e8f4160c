import CarpelCore
import Glibc

/// An open file that is closed with its last reference.
final class File: Sendable {
    let path: String
    let descriptor: Int32

    /// - Parameter flags: as of open(2); `O_CLOEXEC` is added.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw CarpelError.system(errno, "open \(path)") }
    }

    deinit { close(descriptor) }

    func size() throws -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw CarpelError.system(errno, "stat \(path)") }
        return Int64(status.st_size)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CarpelError.system(errno, "write \(path)") }
            done += count
        }
    }

    /// Reads as much as fits and is there; 0 at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CarpelError.system(errno, "read \(path)") }
            return count
        }
    }

    /// Calls `body` with the file's bytes from start to end, a mebibyte at a time at most.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try read(into: buffer, at: offset)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
    }

    func truncate(to size: Int64) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw CarpelError.system(errno, "truncate \(path)") }
    }

    func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw CarpelError.system(errno, "fsync \(path)") }
    }
}
