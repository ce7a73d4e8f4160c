import CarpelGuestProtocol
import Glibc

/// The devices of the machine, for privileged containers.
enum MachineDevices {
    /// Those in /dev, with their permissions, except what a container has of its own.
    static func all() -> [ContainerSpec.Device] { devices(in: "/dev", depth: 3) }

    private static let own: Set<String> = ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/ptmx", "/dev/console"]

    private static func devices(in folder: String, depth: Int) -> [ContainerSpec.Device] {
        guard depth > 0 else { return [] }
        var found: [ContainerSpec.Device] = []
        for path in Files.names(in: folder).map({ "\(folder)/\($0)" }) where !own.contains(path) {
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: found += devices(in: path, depth: depth - 1)
            case S_IFCHR, S_IFBLK: found.append(device(path, status))
            default: continue
            }
        }
        return found
    }

    private static func device(_ path: String, _ status: stat) -> ContainerSpec.Device {
        let number = status.st_rdev
        return ContainerSpec.Device(
            path: path, kind: status.st_mode & S_IFMT == S_IFBLK ? .block : .character,
            major: UInt32(number >> 8 & 0xFFF | number >> 32 & ~0xFFF),
            minor: UInt32(number & 0xFF | number >> 12 & ~0xFF),
            mode: status.st_mode & 0o7777, uid: status.st_uid, gid: status.st_gid)
    }
}
