import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    /// How long the kernel may take to end processes that have been killed, before the machine goes anyway.
    private static let patience: UInt64 = 3_000_000_000

    /// Kills everything, writes what is not on disk yet, and turns the machine off.
    func shutDown(answering stream: HostStream) {
        stream.finish(.done)
        kill(-1, SIGKILL)
        Cgroup.pod.killAll()
        powerOffWhenEmpty(deadline: Clock.steady + Self.patience)
    }

    private func powerOffWhenEmpty(deadline: UInt64) {
        guard !Cgroup.pod.isPopulated || Clock.steady > deadline else {
            loop.after(milliseconds: 5) { [unowned self] in powerOffWhenEmpty(deadline: deadline) }
            return
        }
        for container in containers.values { _ = umount2(container.root.path, 0) }
        if umount2(Sandbox.scratch, 0) < 0, configuration != nil {
            log.error("the scratch disk is still in use: \(String(cString: strerror(errno)))")
        }
        sync()
        reboot(Int32(bitPattern: UInt32(RB_POWER_OFF)))
    }
}
