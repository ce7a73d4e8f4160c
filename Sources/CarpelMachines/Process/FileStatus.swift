import Glibc

/// What `stat` says about a path, links followed.
struct FileStatus: Sendable {
    enum Kind: Sendable {
        case file, directory, blockDevice, other
    }

    let kind: Kind
    let mode: mode_t
    let user: uid_t
    let group: gid_t

    /// Nil if there is nothing at `path` or it cannot be asked.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFBLK: .blockDevice
            default: .other
            }
        mode = status.st_mode & 0o7777
        user = status.st_uid
        group = status.st_gid
    }
}
