import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

/// The devices that a container may name as the node's and that every machine has as well: they stand for a
/// service of the kernel, not for hardware. /dev/fuse and /dev/net/tun are not among them, since no machine loads
/// their modules. Numbers: Linux's Documentation/admin-guide/devices.txt.
private let machineDevices: [String: (major: UInt32, minor: UInt32)] = [
    "/dev/null": (1, 3), "/dev/zero": (1, 5), "/dev/full": (1, 7), "/dev/random": (1, 8), "/dev/urandom": (1, 9),
    "/dev/tty": (5, 0),
]

func checkDevice(_ device: CarpelAPI.Device, in sandbox: PodSandboxConfig, at field: String) throws {
    if let carpel = device.carpel {
        guard device.hostPath.isEmpty else {
            throw CarpelError.invalid(field, "give either hostPath or carpel.volume", reason: "deviceSourceInvalid")
        }
        try checkIsVolume(carpel.volume, of: sandbox, at: "\(field).carpel.volume")
    } else if machineDevices[device.hostPath] == nil {
        throw CarpelError.unsupported(
            "\(field).hostPath", "hostDevicesUnsupported",
            "\"\(device.hostPath)\" of the node cannot be passed to a pod, which has its own \(deviceList); "
                + "a disk is given to a pod as a block volume")
    }
    try checkAbsolutePath(device.containerPath, at: "\(field).containerPath")
    guard device.permissions.allSatisfy("rwm".contains) else {
        throw CarpelError.invalid("\(field).permissions", "\"\(device.permissions)\" has more than r, w and m")
    }
}

private var deviceList: String { machineDevices.keys.sorted().joined(separator: ", ") }

/// The device of the machine that `device` names; nil if the machine has none (which validation refuses).
/// Permissions that are left out are all of them.
func guestDevice(_ device: CarpelAPI.Device) -> ContainerSpec.Device? {
    if let carpel = device.carpel {
        return ContainerSpec.Device(
            path: device.containerPath, kind: .block, access: device.permissions.isEmpty ? "rwm" : device.permissions,
            volume: carpel.volume)
    }
    guard let number = machineDevices[device.hostPath] else { return nil }
    return ContainerSpec.Device(
        path: device.containerPath, kind: .character, major: number.major, minor: number.minor,
        access: device.permissions.isEmpty ? "rwm" : device.permissions)
}
