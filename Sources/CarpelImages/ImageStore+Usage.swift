import CarpelCore
import Glibc

extension ImageStore {
    /// What the store takes of its file system now, holes not counted.
    public func usage() throws -> StoreUsage {
        var blocks: Int64 = 0
        var inodes: Int64 = 0
        var folders = [content.root]
        while let folder = folders.popLast() {
            for name in try FileSystem.names(in: folder) {
                var status = stat()
                // It may have gone meanwhile.
                guard lstat("\(folder)/\(name)", &status) == 0 else { continue }
                blocks += Int64(status.st_blocks)
                inodes += 1
                if status.st_mode & S_IFMT == S_IFDIR { folders.append("\(folder)/\(name)") }
            }
        }
        return StoreUsage(used: ByteCount(blocks * 512), inodes: inodes, mountpoint: mountpoint())
    }

    /// The last directory on the way up that is on the store's device.
    private func mountpoint() -> String {
        var path = content.root
        var status = stat()
        guard stat(path, &status) == 0 else { return path }
        while path != "/" {
            var parent = stat()
            let up = FileSystem.parent(of: path)
            guard stat(up, &parent) == 0, parent.st_dev == status.st_dev else { return path }
            path = up
        }
        return path
    }
}
