import CarpelGuestProtocol

/// Waits for disks that the host has attached and the kernel has not seen yet.
final class Disks {
    private struct Wait {
        var serials: [String]
        var found: ([String: String]) -> Void
        var timer: EventLoop.TimerID
    }

    static let patience: UInt64 = 10_000

    private let loop: EventLoop
    private var waits: [Int: Wait] = [:]
    private var next = 0

    init(loop: EventLoop) { self.loop = loop }

    /// Calls `done` with the device of each serial, now if all are there.
    func find(_ serials: [String], _ done: @escaping (Result<[String: String], GuestFailure>) -> Void) {
        if let devices = devices(serials) { return done(.success(devices)) }
        let id = next
        next += 1
        let timer = loop.after(milliseconds: Self.patience) { [unowned self] in
            waits[id] = nil
            let missing = serials.filter { BlockDevices.find(serial: $0) == nil }
            done(.failure(GuestFailure(.diskMissing, "no disk has the serial \(missing.joined(separator: " or "))")))
        }
        waits[id] = Wait(serials: serials, found: { done(.success($0)) }, timer: timer)
    }

    func devicesChanged() {
        for (id, wait) in waits.sorted(by: { $0.key < $1.key }) {
            guard let devices = devices(wait.serials) else { continue }
            waits[id] = nil
            loop.cancel(wait.timer)
            wait.found(devices)
        }
    }

    private func devices(_ serials: [String]) -> [String: String]? {
        var devices: [String: String] = [:]
        for serial in serials {
            guard let device = BlockDevices.find(serial: serial) else { return nil }
            devices[serial] = device
        }
        return devices
    }
}
