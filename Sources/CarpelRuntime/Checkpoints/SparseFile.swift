import CarpelCore
import Crypto
import Foundation

/// Files with holes, read and written without filling them.
enum SparseFile {
    private static let block = 64 << 10
    /// SEEK_DATA of lseek(2).
    private static let seekData: Int32 = 3
    private static let zeros = [UInt8](repeating: 0, count: block)

    /// The length of an open file in bytes, and a digest of its content: SHA-256 over the length and, of each block of
    /// 64 KiB that is not all zeros, its number and its bytes; numbers have eight bytes, the highest first. Holes cost
    /// nothing, and a copy that has them elsewhere has the same digest.
    static func digest(_ file: FileDescriptorBox, _ flag: CancellationFlag) throws -> (bytes: Int64, digest: String) {
        var hash = SHA256()
        let length = Int64(lseek(file.number, 0, SEEK_END))
        hash.update(bigEndian: length)
        try forEachBlock(of: file.number, flag) { offset, bytes in
            hash.update(bigEndian: offset / Int64(block))
            hash.update(bufferPointer: bytes)
        }
        return (
            length, "sha256:" + hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        )
    }

    /// Copies all of `source` to an empty file: without copying a byte where the file system can share them.
    static func copy(_ source: FileDescriptorBox, to target: FileDescriptorBox, _ flag: CancellationFlag) throws {
        // FICLONE of ioctl_ficlonerange(2).
        if ioctl(target.number, 0x4004_9409, source.number) == 0 { return }
        guard ftruncate(target.number, lseek(source.number, 0, SEEK_END)) == 0 else { throw failure("make a copy") }
        try forEachBlock(of: source.number, flag) { offset, bytes in
            var written = 0
            while written < bytes.count {
                let count = pwrite(
                    target.number, bytes.baseAddress?.advanced(by: written), bytes.count - written,
                    off_t(offset) + off_t(written))
                guard count > 0 else { throw failure("write a copy") }
                written += count
            }
        }
    }

    /// Hands over what is not zeros, in order.
    private static func forEachBlock(
        of file: Int32, _ flag: CancellationFlag, _ body: (Int64, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: block, alignment: 4096)
        defer { buffer.deallocate() }
        let length = lseek(file, 0, SEEK_END)
        var offset: off_t = 0
        while offset < length {
            try flag.check()
            // Behind the last data there is none: ENXIO. A file system that knows no holes is all data.
            let data = lseek(file, offset, seekData)
            guard data >= 0 || errno != ENXIO else { return }
            if data > offset { offset = data / off_t(block) * off_t(block) }
            let count = try read(file, into: buffer, at: offset)
            guard count > 0 else { return }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if !isZero(bytes) { try body(Int64(offset), bytes) }
            offset += off_t(block)
        }
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.baseAddress.map { memcmp($0, zeros, bytes.count) == 0 } ?? true
    }

    /// Fewer bytes than the buffer has only at the file's end.
    private static func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: off_t) throws -> Int
    {
        var filled = 0
        while filled < buffer.count {
            let count = pread(
                file, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, offset + off_t(filled))
            guard count >= 0 else { throw failure("read a file") }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    private static func failure(_ activity: String) -> CarpelError {
        let isFull = errno == ENOSPC
        return CarpelError(
            isFull ? .resourceExhausted : .internal, isFull ? "noSpace" : "copyFailed",
            "\(activity): \(String(cString: strerror(errno)))")
    }
}

extension SHA256 {
    fileprivate mutating func update(bigEndian number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { update(bufferPointer: $0) }
    }
}
