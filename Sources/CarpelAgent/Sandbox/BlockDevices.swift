import CarpelGuestProtocol
import Glibc

/// The machine's disks by the serial that the host gave them.
enum BlockDevices {
    /// `/dev/…` of the disk, nil while the machine has none such.
    static func find(serial: String) -> String? {
        guard !serial.isEmpty else { return nil }
        return Files.names(in: "/sys/block").first { self.serial(of: $0) == serial }.map { "/dev/\($0)" }
    }

    /// The device of each serial.
    /// - Throws: `diskMissing` with the serials of those that are not there.
    static func find(serials: [String]) throws(GuestFailure) -> [String: String] {
        var devices: [String: String] = [:]
        for serial in serials { devices[serial] = find(serial: serial) }
        let missing = serials.filter { devices[$0] == nil }
        guard missing.isEmpty else {
            throw GuestFailure(.diskMissing, "no disk has the serial \(missing.joined(separator: " or "))")
        }
        return devices
    }

    static func missing(_ serials: [String]) -> GuestFailure? {
        do throws(GuestFailure) {
            _ = try find(serials: serials)
            return nil
        } catch {
            return error
        }
    }

    /// Has the kernel ask a disk how long it is.
    static func rescan(_ device: String) throws(GuestFailure) {
        let file = "/sys/block/\(name(of: device))/device/rescan"
        // virtio-blk has none: it is told, and believes it.
        if access(file, F_OK) == 0 { try Files.write("1", to: file) }
    }

    /// In bytes.
    static func length(of device: String) -> UInt64 {
        // In sectors of 512 bytes, whatever the device's own are.
        UInt64(Files.line("/sys/block/\(name(of: device))/size") ?? "").map { $0 * 512 } ?? 0
    }

    /// Major and minor.
    static func number(of device: String) -> (UInt32, UInt32)? {
        let numbers = (Files.line("/sys/block/\(name(of: device))/dev") ?? "").split(separator: ":")
        guard numbers.count == 2, let major = UInt32(numbers[0]), let minor = UInt32(numbers[1]) else { return nil }
        return (major, minor)
    }

    /// `sda` of `/dev/sda`.
    private static func name(of device: String) -> Substring { device.dropFirst("/dev/".utf8.count) }

    private static func serial(of name: String) -> String? {
        let folder = "/sys/block/\(name)"
        // virtio-blk has a file for it. SCSI disks tell it on page 0x80 of their vital product data (SPC-4,
        // section 7.8.14): four bytes of head, then the serial.
        if let serial = Files.line("\(folder)/serial"), !serial.isEmpty { return serial }
        guard let page = try? Files.read("\(folder)/device/vpd_pg80", limit: 4096), page.count > 4 else { return nil }
        let text = String(decoding: page.dropFirst(4), as: UTF8.self)
        return String(text.prefix { $0 != "\0" && $0 != " " })
    }
}
