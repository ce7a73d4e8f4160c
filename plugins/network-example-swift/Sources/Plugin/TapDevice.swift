import CarpelPluginSDK
import Glibc

/// A tap device: what a machine sends comes out of it on the host, and the other way round.
struct TapDevice {
    let name: String
    /// The host's at its end.
    let address: String
    /// The pod's at the other: the host routes it here.
    let peer: String

    // Macros of linux/if_tun.h that Swift does not import.
    private static let setInterface: UInt = 0x4004_54ca
    private static let setPersistent: UInt = 0x4004_54cb
    private static let setGroup: UInt = 0x4004_54ce
    private static let isTap: Int16 = 2
    private static let hasNoPacketInformation: Int16 = 0x1000

    var exists: Bool { if_nametoindex(name) != 0 }

    static func checkDriver() throws {
        guard access("/dev/net/tun", R_OK | W_OK) == 0 else { throw failure("/dev/net/tun") }
    }

    /// Makes the device, which may be used by a group, or completes what a crash has left.
    func make(for group: UInt32) throws {
        if !exists {
            try withDevice { device in
                guard ioctl(device, Self.setGroup, Int32(bitPattern: group)) == 0,
                    ioctl(device, Self.setPersistent, 1) == 0
                else {
                    throw Self.failure(name)
                }
            }
        }
        let control = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(control) }
        try set(address, UInt(SIOCSIFADDR), control)
        try set("255.255.255.255", UInt(SIOCSIFNETMASK), control)
        try set(peer, UInt(SIOCSIFDSTADDR), control)
        var request = interfaceRequest()
        guard ioctl(control, UInt(SIOCGIFFLAGS), &request) == 0 else { throw Self.failure(name) }
        request.ifr_ifru.ifru_flags |= Int16(IFF_UP)
        guard ioctl(control, UInt(SIOCSIFFLAGS), &request) == 0 else { throw Self.failure(name) }
    }

    func remove() throws {
        guard exists else { return }
        try withDevice { device in
            guard ioctl(device, Self.setPersistent, 0) == 0 else { throw Self.failure(name) }
        }
    }

    /// The device is gone after it, unless it is persistent.
    private func withDevice(_ body: (Int32) throws -> Void) throws {
        let device = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw Self.failure("/dev/net/tun") }
        defer { close(device) }
        var request = interfaceRequest()
        request.ifr_ifru.ifru_flags = Self.isTap | Self.hasNoPacketInformation
        guard ioctl(device, Self.setInterface, &request) == 0 else { throw Self.failure(name) }
        try body(device)
    }

    private func set(_ text: String, _ what: UInt, _ control: Int32) throws {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_addr.s_addr = inet_addr(text)
        var request = interfaceRequest()
        withUnsafeBytes(of: value) { value in
            withUnsafeMutableBytes(of: &request.ifr_ifru) { $0.copyMemory(from: value) }
        }
        guard ioctl(control, what, &request) == 0 else { throw Self.failure("\(name), address \(text)") }
    }

    private func interfaceRequest() -> ifreq {
        var request = ifreq()
        withUnsafeMutableBytes(of: &request.ifr_ifrn) { $0.copyBytes(from: name.utf8.prefix(Int(IFNAMSIZ) - 1)) }
        return request
    }

    private static func failure(_ what: String) -> PluginError {
        PluginError(.internal, "deviceFailed", "\(what): \(String(cString: strerror(errno)))")
    }
}
