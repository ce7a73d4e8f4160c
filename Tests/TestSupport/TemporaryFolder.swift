import Foundation

/// A folder that is gone with its last owner.
///
/// It lies under /tmp with a short name: a Unix socket's path has at most 107 bytes.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/carpel-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SupportError("cannot make a temporary folder") }
        path = String(cString: made)
        // QEMU's user passes through.
        chmod(path, 0o711)
    }

    deinit { remove() }

    public func remove() { try? FileManager.default.removeItem(atPath: path) }

    public func file(_ name: String, _ content: String = "") throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try content.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

public struct SupportError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
