import CarpelCore
import Foundation

/// The network interfaces of the namespace that this process is in.
enum TapDevices {
    static func exists(_ name: String) -> Bool { if_nametoindex(name) != 0 }

    static var allInterfaces: Set<String> {
        guard let list = if_nameindex() else { return [] }
        defer { if_freenameindex(list) }
        var names: Set<String> = []
        var next = list
        while next.pointee.if_index != 0, let name = next.pointee.if_name {
            names.insert(String(cString: name))
            next += 1
        }
        return names
    }

    /// What is not as a machine needs it; nil: all is well.
    static func fault(of name: String, machineGroup: UInt32) -> String? {
        guard exists(name) else { return "there is no device \(name)" }
        guard let flags = attribute("tun_flags", of: name).flatMap({ UInt32($0.dropFirst(2), radix: 16) }) else {
            return "\(name) is no tap device"
        }
        // IFF_TAP and IFF_PERSIST of linux/if_tun.h.
        guard flags & 0x0002 != 0 else { return "\(name) is a tun device, and no tap device" }
        guard flags & 0x0800 != 0 else { return "\(name) is not persistent" }
        guard attribute("group", of: name) == "\(machineGroup)" || attribute("owner", of: name) == "\(machineGroup)"
        else { return "\(name) may not be opened by the machines' group \(machineGroup)" }
        return nil
    }

    /// Takes the device away from behind the plugin's back.
    static func remove(_ name: String) throws {
        let device = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw CheckSkipped("/dev/net/tun: \(String(cString: strerror(errno)))") }
        defer { close(device) }
        var request = ifreq()
        withUnsafeMutableBytes(of: &request.ifr_ifrn) { $0.copyBytes(from: name.utf8.prefix(Int(IFNAMSIZ) - 1)) }
        // IFF_TAP | IFF_NO_PI, TUNSETIFF and TUNSETPERSIST of linux/if_tun.h.
        request.ifr_ifru.ifru_flags = 0x1002
        guard ioctl(device, 0x4004_54ca, &request) == 0, ioctl(device, 0x4004_54cb, 0) == 0 else {
            throw CheckFailure("\(name) cannot be opened as a tap device: \(String(cString: strerror(errno)))")
        }
    }

    private static func attribute(_ attribute: String, of name: String) -> String? {
        guard !name.contains("/"),
            let text = try? String(contentsOfFile: "/sys/class/net/\(name)/\(attribute)", encoding: .utf8)
        else { return nil }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
