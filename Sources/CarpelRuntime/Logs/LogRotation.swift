import CarpelCore
import Foundation

/// The rotation of a log by its size: `LOG` becomes `LOG.1`, that becomes `LOG.2`, and so on.
struct LogRotation {
    var maximumSize: ByteCount
    /// The one that is written included.
    var maximumFiles: Int

    /// Makes room for a new file at `path`, unless there is: a rotation that found no room for its new file has moved
    /// the others already, and moving them again and again would drop them all.
    func rotate(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        var surplus = max(1, maximumFiles - 1)
        while unlink("\(path).\(surplus)") == 0 { surplus += 1 }
        guard maximumFiles > 1 else { return try Self.check(unlink(path), "remove", path) }
        for number in stride(from: maximumFiles - 2, to: 0, by: -1) {
            try Self.check(rename("\(path).\(number)", "\(path).\(number + 1)"), "rename", "\(path).\(number)")
        }
        try Self.check(rename(path, "\(path).1"), "rename", path)
    }

    private static func check(_ result: Int32, _ verb: String, _ path: String) throws {
        guard result != 0, errno != ENOENT else { return }
        throw CarpelError.log(verb, path, errno)
    }
}
