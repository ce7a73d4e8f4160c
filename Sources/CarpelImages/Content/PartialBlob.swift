import CarpelCore
import Crypto
import Glibc
import NIOCore

/// A blob while it comes in. Its file outlives a failure, to be continued; its hash is made anew from the file then.
actor PartialBlob {
    nonisolated let expected: Descriptor
    private let file: File
    private var hasher = SHA256()
    private(set) var count: Int64 = 0
    /// Whether some of the bytes came with an earlier answer.
    private(set) var isResumed = false

    init(_ expected: Descriptor, path: String) async throws {
        self.expected = expected
        let file = try File(path, O_RDWR | O_CREAT)
        self.file = file
        guard try file.size() <= expected.size else {
            try file.truncate(to: 0)
            return
        }
        (hasher, count) = try await onBlockingThread { flag in
            var hasher = SHA256()
            var count: Int64 = 0
            try file.forEachChunk { bytes in
                try flag.check()
                hasher.update(bufferPointer: bytes)
                count += Int64(bytes.count)
            }
            return (hasher, count)
        }
    }

    var isComplete: Bool { count == expected.size }

    func beginAnswer() { isResumed = count > 0 }

    /// Forgets what came so far.
    func restart() throws {
        try file.truncate(to: 0)
        hasher = SHA256()
        count = 0
        isResumed = false
    }

    /// - Throws: `.dataLoss`/`sizeMismatch` if more comes than the descriptor says.
    func append(_ buffer: ByteBuffer) throws {
        guard count + Int64(buffer.readableBytes) <= expected.size else { throw sizeMismatch("more than") }
        try buffer.withUnsafeReadableBytes { bytes in
            try file.write(bytes, at: count)
            hasher.update(bufferPointer: bytes)
        }
        count += Int64(buffer.readableBytes)
    }

    nonisolated func sizeMismatch(_ relation: String) -> CarpelError {
        CarpelError(
            .dataLoss, "sizeMismatch",
            "\(expected.digest) has \(relation) the \(expected.size) bytes that its manifest says; push the image again"
        )
    }

    var digest: Digest { Digest(hasher.finalize()) }

    /// Makes the complete, verified blob durable under its name in the store.
    func commit(to path: String) async throws {
        let file = file
        try await onBlockingThread { _ in
            try file.synchronize()
            try FileSystem.move(file.path, to: path)
        }
    }

    func remove() throws { try FileSystem.remove(file.path) }
}
