import CLibnl
import Glibc

/// Tap devices that outlive who makes them.
public enum TapDevice {
    /// Makes a persistent tap device in the calling thread's network namespace.
    ///
    /// Its frames carry virtio's header, so that checksums and segmentation can be left to the receiver.
    /// - Parameters:
    ///   - name: at most 15 bytes.
    ///   - group: whose processes may open it without privileges.
    ///   - prepare: runs when the device is there and still vanishes with this process: the time to mark it.
    /// - Throws: ``NetlinkError``, with `EBUSY` if there is a device of that name, and what `prepare` throws.
    public static func make(_ name: String, group: UInt32, prepare: () throws -> Void = {}) throws {
        let device = try open(name, exclusively: true)
        defer { close(device) }
        guard ioctl(device, UInt(carpel_tunsetgroup), CInt(bitPattern: group)) == 0 else {
            throw NetlinkError("give the tap device \(name) to the group \(group)", errorCode: errno)
        }
        try prepare()
        guard ioctl(device, UInt(carpel_tunsetpersist), CInt(1)) == 0 else {
            throw NetlinkError("keep the tap device \(name)", errorCode: errno)
        }
    }

    /// Opens a tap device of the calling thread's network namespace, as QEMU does, or makes one that lasts as long as
    /// the descriptor.
    ///
    /// - Returns: a file descriptor that reads and writes one frame at a time, after 10 bytes of virtio's header.
    /// - Throws: ``NetlinkError``.
    public static func open(_ name: String, exclusively: Bool = false) throws -> Int32 {
        precondition(name.utf8.count <= Link.longestName, "\(name) is too long for a device's name")
        let device = Glibc.open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw NetlinkError("open /dev/net/tun", errorCode: errno) }
        var request = ifreq()
        var flags = UInt16(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
        if exclusively { flags |= UInt16(IFF_TUN_EXCL) }
        withUnsafeMutableBytes(of: &request) { bytes in
            bytes.copyBytes(from: name.utf8)
            bytes.storeBytes(of: flags, toByteOffset: Link.longestName + 1, as: UInt16.self)
        }
        guard ioctl(device, UInt(carpel_tunsetiff), &request) == 0 else {
            let error = NetlinkError("open the tap device \(name)", errorCode: errno)
            close(device)
            throw error
        }
        return device
    }
}
