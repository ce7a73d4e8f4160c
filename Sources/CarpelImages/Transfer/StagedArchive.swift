import CarpelCore
import Crypto
import Foundation
import Glibc

/// The files of an archive or layout that is imported, in a staging folder of the store, under numbers for names.
struct StagedArchive: Sendable {
    struct StagedFile: Sendable {
        let path: String
        let digest: Digest
        let size: Int64
    }

    let folder: String
    /// By path in the archive.
    private var files: [String: StagedFile] = [:]
    /// What symbolic and hard links of the archive point to, by path.
    private var links: [String: String] = [:]
    /// Where an imported directory is; its blobs are copied when they are asked for.
    private var directory: String?
    private let limits: ImageLimits

    private static let maxFiles = 10_000

    init(_ path: String, in content: ContentStore, limits: ImageLimits, _ flag: CancellationFlag) throws {
        folder = content.temporary()
        self.limits = limits
        try FileSystem.makeDirectory(folder, mode: 0o700)
        do {
            var status = stat()
            guard stat(path, &status) == 0 else { throw CarpelError.system(errno, "open \(path)") }
            if status.st_mode & S_IFMT == S_IFDIR {
                directory = path
            } else {
                try read(path, flag)
            }
        } catch {
            remove()
            throw error
        }
    }

    /// Removes the staging folder.
    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// The file at `path` of the archive, following the archive's own links; nil if there is none.
    mutating func file(_ path: String) throws -> StagedFile? {
        if let directory, files[path] == nil { try copy("\(directory)/\(path)", as: path) }
        var path = Self.normalise(path)
        for _ in 0..<8 {
            if let file = files[path] { return file }
            guard let target = links[path] else { return nil }
            path = target
        }
        return nil
    }

    /// A whole document of the archive.
    mutating func document(_ path: String) throws -> [UInt8]? {
        guard let file = try file(path) else { return nil }
        return try FileSystem.contents(of: file.path, limit: limits.maxDocumentBytes)
    }

    private mutating func read(_ path: String, _ flag: CancellationFlag) throws {
        let file = try File(path, O_RDONLY)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        let archive = try ArchiveReader(.compressedTar, what: path) {
            try flag.check()
            let count = try file.read(into: buffer, at: offset)
            offset += Int64(count)
            return UnsafeRawBufferPointer(rebasing: buffer[..<count])
        }
        while let entry = try archive.next() {
            let name = Self.normalise(String(decoding: entry.path, as: UTF8.self))
            guard files.count + links.count < Self.maxFiles else {
                throw CarpelError(.resourceExhausted, "archiveTooLarge", "\(path) has more than \(Self.maxFiles) files")
            }
            if let target = entry.hardLink {
                links[name] = Self.normalise(String(decoding: target, as: UTF8.self))
            } else if entry.type == S_IFLNK {
                let target = String(decoding: entry.symbolicLink, as: UTF8.self)
                links[name] = Self.normalise("\(FileSystem.parent(of: name))/\(target)")
            } else if entry.type == S_IFREG {
                try add(name, size: Int64(clamping: entry.size)) { sink in
                    try archive.forEachBlock { bytes, _ in try sink(bytes) }
                }
            }
        }
    }

    private mutating func copy(_ source: String, as name: String) throws {
        guard FileSystem.exists(source) else { return }
        let file = try File(source, O_RDONLY)
        try add(name, size: try file.size()) { try file.forEachChunk($0) }
    }

    private mutating func add(
        _ name: String, size: Int64, _ content: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        guard size <= limits.maxBlobBytes.bytes else {
            throw CarpelError(
                .resourceExhausted, "blobTooLarge", "\(name) has \(ByteCount(size)); limit \(limits.maxBlobBytes)")
        }
        try FileSystem.requireSpace(for: size, reserve: limits.minimumFreeBytes, at: folder)
        let file = try File("\(folder)/\(files.count)", O_RDWR | O_CREAT | O_EXCL)
        var hasher = SHA256()
        var count: Int64 = 0
        try content { bytes in
            guard count + Int64(bytes.count) <= size else {
                throw CarpelError(.dataLoss, "sizeMismatch", "\(name) has more data than it says")
            }
            try file.write(bytes, at: count)
            hasher.update(bufferPointer: bytes)
            count += Int64(bytes.count)
        }
        try file.synchronize()
        files[name] = StagedFile(path: file.path, digest: Digest(hasher.finalize()), size: count)
    }

    /// The path without `.`, `..` and empty components. It is a key, never a path of the host.
    private static func normalise(_ path: String) -> String {
        var components: [Substring] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        return components.joined(separator: "/")
    }
}
