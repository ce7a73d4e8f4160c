import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    /// How long the kernel may take to end processes that have been killed, before the machine goes anyway.
    private static let patience: UInt64 = 3_000_000_000

    /// Kills everything, writes what is not on disk yet, and turns the machine off.
    func shutDown(answering stream: HostStream) {
        stream.finish(.done)
        // What waits for a thaw cannot be killed, nor what it waits for be unmounted.
        let frozen = volumes.values.filter(\.isFrozen)
        guard !frozen.isEmpty else { return killAll() }
        let steps = Steps()
        for volume in frozen { steps.thaw(volume.path) }
        run(steps, atMost: Self.patience / 1_000_000) { [unowned self] in killAll() }
    }

    private func killAll() {
        kill(-1, SIGKILL)
        Cgroup.pod.killAll()
        unmountWhenEmpty(deadline: Clock.steady + Self.patience)
    }

    private func unmountWhenEmpty(deadline: UInt64) {
        guard !Cgroup.pod.isPopulated || Clock.steady > deadline else {
            loop.after(milliseconds: 5) { [unowned self] in unmountWhenEmpty(deadline: deadline) }
            return
        }
        let steps = Steps()
        for volume in volumes.values where !volume.isBlock { steps.unmount(volume.path) }
        run(steps, atMost: Self.patience / 1_000_000) { [unowned self] in powerOff() }
    }

    private func powerOff() {
        for container in containers.values { _ = umount2(container.root.path, 0) }
        if umount2(Sandbox.scratch, 0) < 0, configuration != nil {
            log.error("the scratch disk is still in use: \(String(cString: strerror(errno)))")
        }
        sync()
        reboot(Int32(bitPattern: UInt32(RB_POWER_OFF)))
    }
}
