import CarpelCore
import Foundation

/// Reads a container's log as it grows, and as it is rotated: the files that it was before come first.
final class LogFile {
    private let path: String
    /// The one that is read, and those that are to be read after it.
    private var sources: [LogSource] = []
    /// The start of a line whose end has not been written yet.
    private var unfinished: [UInt8] = []

    init(path: String) {
        self.path = path
    }

    /// The lines that have come since the last call, at most a mebibyte of them; empty at the log's end.
    ///
    /// A file that does not exist has no lines yet.
    func nextLines() throws -> [ArraySlice<UInt8>] {
        while let source = try source() {
            guard let chunk = try source.handle.read(upToCount: 1 << 20), !chunk.isEmpty else {
                guard try moveOn() else { return [] }
                continue
            }
            unfinished += chunk
            guard let end = unfinished.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            let whole = unfinished[..<end]
            unfinished = Array(unfinished[(end + 1)...])
            return whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        }
        return []
    }

    /// Skips what is there but for its last lines, a line in several parts counted as one. Only those are read.
    func skipToTail(_ lines: Int) throws {
        sources = try LogSource.all(of: path)
        var tail = LogTail(limit: lines)
        for (index, source) in sources.enumerated().reversed() {
            guard let start = try tail.start(in: source.handle) else { continue }
            sources.removeFirst(index)
            for source in sources { try source.handle.seek(toOffset: 0) }
            return try source.handle.seek(toOffset: start)
        }
        for source in sources { try source.handle.seek(toOffset: 0) }
    }

    private func source() throws -> LogSource? {
        if sources.isEmpty { sources = try LogSource.all(of: path) }
        return sources.first
    }

    /// - Returns: whether there is a file to go on with, behind the end of the one that was read.
    private func moveOn() throws -> Bool {
        guard sources.count < 2 else {
            sources.removeFirst()
            return true
        }
        guard let current = sources.first, let latest = LogSource.identity(of: path), latest != current.identity else {
            return false
        }
        let all = try LogSource.all(of: path)
        // Whoever has a new file writes no more to the old one, but may have, since its end was seen.
        sources += all.firstIndex { $0.identity == current.identity }.map { all[($0 + 1)...] } ?? all[...]
        return sources.count > 1
    }
}

/// One of the files of a log.
struct LogSource {
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    let handle: FileHandle
    let identity: Identity

    /// The log's files, the oldest first: `LOG.2`, `LOG.1` and `LOG`, or those that a kubelet has rotated and not
    /// compressed.
    static func all(of path: String) throws -> [LogSource] {
        let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        let suffixes = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasPrefix("\(name).") }.map { $0.dropFirst(name.count + 1) }
        let numbered = suffixes.compactMap { Int($0) }.sorted(by: >).map(String.init)
        let dated = suffixes.filter { $0.count == 15 && $0.allSatisfy { $0.isNumber || $0 == "-" } }.sorted()
        return try (numbered + dated.map(String.init)).compactMap { try opened("\(path).\($0)") }
            + [try opened(path)].compactMap(\.self)
    }

    static func identity(of path: String) -> Identity? {
        var status = stat()
        return stat(path, &status) == 0 ? Identity(status) : nil
    }

    private static func opened(_ path: String) throws -> LogSource? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else {
            var status = stat()
            fstat(descriptor, &status)
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            return LogSource(handle: handle, identity: Identity(status))
        }
        switch errno {
        case ENOENT: return nil
        case EACCES:
            throw CarpelError(
                .permissionDenied, "logNotAllowed", "you may not read \(path): logs are read from the disk, as root")
        default:
            throw CarpelError(.unavailable, "logUnreadable", "cannot read \(path): \(String(cString: strerror(errno)))")
        }
    }
}

extension LogSource.Identity {
    fileprivate init(_ status: stat) { self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }
}
