import Foundation

/// A file system in memory that fills up soon, on a folder of its own. Root's.
public final class SmallDisk: Sendable {
    public let path: String

    /// - Parameter options: tmpfs(5)'s, such as `size=64k`.
    public init(at path: String, _ options: String) async throws {
        self.path = path
        try await shell("mkdir \"$1\" && mount -t tmpfs -o \"$2\" small \"$1\"", path, options)
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    public func change(_ options: String) async throws {
        try await shell("mount -o \"remount,$2\" \"$1\"", path, options)
    }
}
