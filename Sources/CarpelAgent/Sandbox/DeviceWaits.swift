import CarpelGuestProtocol

/// Waits for devices that the host has attached and the kernel has not seen yet.
final class DeviceWaits {
    private struct Wait {
        var missing: () -> GuestFailure?
        var done: (GuestFailure?) -> Void
        var timer: EventLoop.TimerID
    }

    static let patience: UInt64 = 10_000

    private let loop: EventLoop
    private var waits: [Int: Wait] = [:]
    private var next = 0

    init(loop: EventLoop) { self.loop = loop }

    /// Calls `done` as soon as nothing is missing, now if nothing is; or with what still is when that took too long.
    func wait(
        until missing: @escaping () -> GuestFailure?, patience: UInt64 = DeviceWaits.patience,
        _ done: @escaping (GuestFailure?) -> Void
    ) {
        guard missing() != nil else { return done(nil) }
        let id = next
        next += 1
        let timer = loop.after(milliseconds: patience) { [unowned self] in
            waits[id] = nil
            done(missing())
        }
        waits[id] = Wait(missing: missing, done: done, timer: timer)
    }

    func devicesChanged() {
        for (id, wait) in waits.sorted(by: { $0.key < $1.key }) where wait.missing() == nil {
            waits[id] = nil
            loop.cancel(wait.timer)
            wait.done(nil)
        }
    }
}
