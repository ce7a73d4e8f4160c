import FoundationEssentials
import Glibc

/// An open file or folder, closed with its owner.
struct OpenFile: ~Copyable {
    let path: String
    let descriptor: Int32

    /// - Throws: ``PluginError``, see `systemError`.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws {
        descriptor = open(path, flags | O_CLOEXEC, mode)
        self.path = path
        guard descriptor >= 0 else { throw systemError("cannot open \(path)") }
    }

    deinit { close(descriptor) }

    borrowing func status() throws -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemError("cannot examine \(path)") }
        return status
    }

    borrowing func setLength(_ bytes: Int64) throws {
        guard ftruncate(descriptor, off_t(bytes)) == 0 else {
            throw systemError("cannot make \(path) \(bytes) bytes long")
        }
    }

    borrowing func sync() throws {
        guard fsync(descriptor) == 0 else { throw systemError("cannot write \(path) to disk") }
    }

    borrowing func read(atMost count: Int, at offset: Int64) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            let result = pread(descriptor, buffer.baseAddress, count, off_t(offset))
            guard result >= 0 else { throw systemError("cannot read \(path)") }
            length = result
        }
    }

    borrowing func write(_ bytes: some ContiguousBytes, at offset: Int64 = 0) throws {
        try bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let result = pwrite(
                    descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + done)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else { throw systemError("cannot write \(path)") }
                done += result
            }
        }
    }
}

extension stat {
    /// What the file takes on disk.
    var allocatedBytes: Int64 { Int64(st_blocks) * 512 }
}
