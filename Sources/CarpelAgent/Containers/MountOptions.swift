import Glibc

/// Mount options as in fstab(5): those that are flags, and the rest for the file system.
struct MountOptions {
    private(set) var flags = 0
    private(set) var data = ""

    private static let flags = [
        "ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC, "sync": MS_SYNCHRONOUS,
        "noatime": MS_NOATIME, "nodiratime": MS_NODIRATIME, "relatime": MS_RELATIME, "strictatime": MS_STRICTATIME,
    ]
    private static let cleared = ["rw": MS_RDONLY, "suid": MS_NOSUID, "dev": MS_NODEV, "exec": MS_NOEXEC]

    init(_ options: [String]) {
        var rest: [String] = []
        for option in options {
            if let flag = Self.flags[option] {
                flags |= flag
            } else if let flag = Self.cleared[option] {
                flags &= ~flag
            } else if option != "defaults" {
                rest.append(option)
            }
        }
        data = rest.joined(separator: ",")
    }
}
