import Glibc

/// A new directory.
struct LayoutDirectory: ExportTarget {
    let path: String

    init(_ path: String) throws {
        self.path = path
        for folder in [path, "\(path)/blobs", "\(path)/blobs/sha256"] {
            try FileSystem.makeDirectory(folder, mode: 0o755)
        }
    }

    func add(_ name: String, _ bytes: [UInt8]) throws {
        let file = try File("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.synchronize()
    }

    func add(_ name: String, contentsOf source: File) throws {
        let file = try File("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        var offset: Int64 = 0
        try source.forEachChunk {
            try file.write($0, at: offset)
            offset += Int64($0.count)
        }
        try file.synchronize()
    }

    func finish() throws { try FileSystem.synchronizeDirectory("\(path)/blobs/sha256") }
}
