import CarpelCore
import Foundation

/// Reads a container's log file as it grows.
final class LogFile {
    private let path: String
    private var handle: FileHandle?
    /// The start of a line whose end has not been written yet.
    private var unfinished: [UInt8] = []

    init(path: String) {
        self.path = path
    }

    /// The lines that have come since the last call, at most a mebibyte of them; empty at the file's end.
    ///
    /// A file that does not exist has no lines yet.
    func nextLines() throws -> [ArraySlice<UInt8>] {
        while let handle = try opened(), let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
            unfinished += chunk
            guard let end = unfinished.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            let whole = unfinished[..<end]
            unfinished = Array(unfinished[(end + 1)...])
            return whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        }
        return []
    }

    private func opened() throws -> FileHandle? {
        if let handle { return handle }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else {
            handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            return handle
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
