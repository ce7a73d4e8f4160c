import CFileSystem
import CarpelCore
import Foundation
import Glibc

/// An open file or directory; closed with the object.
final class OpenPath {
    let number: Int32

    /// Nil, with errno, if it cannot be opened.
    init?(_ path: String, in folder: OpenPath? = nil, _ flags: Int32 = 0) {
        number = openat(folder?.number ?? AT_FDCWD, path, carpel_open_path | O_CLOEXEC | flags)
        if number < 0 { return nil }
    }

    fileprivate init(adopting number: Int32) { self.number = number }

    deinit { close(number) }

    var status: stat? {
        var status = stat()
        return fstat(number, &status) == 0 ? status : nil
    }

    var isDirectory: Bool { status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false }
    var isRegularFile: Bool { status.map { $0.st_mode & S_IFMT == S_IFREG } ?? false }

    /// Where it is, without symbolic links.
    var path: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)") }

    /// The mount that it is in; proc(5), fdinfo.
    var mountID: Int? {
        let lines = (try? KernelFile.read("/proc/self/fdinfo/\(number)"))?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("mnt_id:") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
    }

    func isSame(as other: OpenPath) -> Bool {
        guard let status, let other = other.status else { return false }
        return status.st_dev == other.st_dev && status.st_ino == other.st_ino
    }
}

/// A copy of a mount that is nowhere yet. It vanishes with the object unless it has been attached.
struct DetachedMount {
    private let tree: OpenPath

    /// - Parameter recursive: With what is mounted below.
    init?(copying path: OpenPath, recursive: Bool) {
        let flags = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | carpel_at_empty_path
        let tree = open_tree(path.number, "", recursive ? flags | carpel_at_recursive : flags)
        guard tree >= 0 else { return nil }
        self.tree = OpenPath(adopting: tree)
    }

    /// - Returns: False, with errno, if the kernel refuses.
    func set(
        _ attributes: Int32, propagation: Int = 0, recursive: Bool
    ) -> Bool {
        var change = mount_attr()
        change.attr_set = UInt64(attributes)
        change.propagation = UInt64(propagation)
        let flags = recursive ? carpel_at_empty_path | carpel_at_recursive : carpel_at_empty_path
        return mount_setattr(tree.number, "", flags, &change, MemoryLayout<mount_attr>.size) == 0
    }

    /// - Returns: False, with errno, if the kernel refuses.
    func attach(to target: OpenPath) -> Bool {
        let flags = UInt32(MOVE_MOUNT_F_EMPTY_PATH) | UInt32(MOVE_MOUNT_T_EMPTY_PATH)
        return move_mount(tree.number, "", target.number, "", flags) == 0
    }
}
