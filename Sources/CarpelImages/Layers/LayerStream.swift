import CarpelCore
import Crypto

/// The uncompressed tar of a layer blob, hashed and counted as it passes.
///
/// Used by one thread at a time.
final class LayerStream {
    private let blob: File
    private let bytes: ArchiveReader
    private let limit: ByteCount
    private var hasher = SHA256()
    private var count: Int64 = 0
    private var started = false
    /// How many zeros were missing behind the last file's content. tar(5) fills its block; some writers, such as
    /// umoci's, end with the content.
    private(set) var missingPadding = 0
    private let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: LayerStream.blockSize, alignment: 16)
    static let blockSize = 512

    /// - Parameter progress: called with the number of compressed bytes that have been read; it may throw to stop.
    init(blob: File, limit: ByteCount, progress: @escaping (Int64) throws -> Void) throws {
        self.blob = blob
        self.limit = limit
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        let chunk = Chunk(count: 1 << 18)
        bytes = try ArchiveReader(.bytes, what: "layer \(blob.path)") {
            try progress(chunk.offset)
            return try chunk.next(of: blob)
        }
    }

    deinit { zeros.deallocate() }

    /// The next bytes, empty at the end; the last block is made whole.
    func next() throws -> UnsafeRawBufferPointer {
        let bytes = try nextOfBlob()
        let last = Int(count % Int64(Self.blockSize))
        guard bytes.isEmpty, missingPadding == 0, last > 0 else { return bytes }
        missingPadding = Self.blockSize - last
        return UnsafeRawBufferPointer(rebasing: zeros[..<missingPadding])
    }

    private func nextOfBlob() throws -> UnsafeRawBufferPointer {
        if !started {
            started = true
            guard try bytes.next() != nil else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        }
        guard let (chunk, _) = try bytes.nextBlock() else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        count += Int64(chunk.count)
        guard count <= limit.bytes else {
            throw CarpelError(.resourceExhausted, "layerTooLarge", "a layer unpacks to more than \(limit)")
        }
        hasher.update(bufferPointer: chunk)
        // An empty piece is not the end.
        return chunk.isEmpty ? try nextOfBlob() : chunk
    }

    /// Reads what no reader asked for and gives the digest of everything.
    func finish() throws -> Digest {
        while try !nextOfBlob().isEmpty {}
        return Digest(hasher.finalize())
    }

    /// A buffer through which a file is read.
    private final class Chunk {
        private let buffer: UnsafeMutableRawBufferPointer
        private(set) var offset: Int64 = 0

        init(count: Int) { buffer = .allocate(byteCount: count, alignment: 16) }

        deinit { buffer.deallocate() }

        func next(of file: File) throws -> UnsafeRawBufferPointer {
            let count = try file.read(into: buffer, at: offset)
            offset += Int64(count)
            return UnsafeRawBufferPointer(rebasing: buffer[..<count])
        }
    }
}
