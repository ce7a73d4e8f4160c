import CLinux
import Glibc

/// The agent's children, and the orphans that the kernel gives to it.
final class ProcessTable {
    private let signals: Descriptor
    private var exits: [pid_t: (Int32) -> Void] = [:]

    init(loop: EventLoop) throws {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGCHLD)
        sigprocmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        let flags = Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)
        signals = Descriptor(try check(signalfd(-1, &set, flags), "signalfd"))
        try loop.watch(signals, .readable) { [unowned self, unowned loop] _ in
            while read(signals.number, &loop.scratch, loop.scratch.count) > 0 {}
            reap()
        }
    }

    /// Calls `action` with the exit code, or 128 + the signal. To be called before the loop goes on.
    func onExit(of pid: pid_t, _ action: @escaping (Int32) -> Void) { exits[pid] = action }

    /// Whether `pid` is a child whose end has not been seen, so that the number means it and nobody else.
    func holds(_ pid: pid_t) -> Bool { exits[pid] != nil }

    private func reap() {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            let signal = status & 0x7F
            exits.removeValue(forKey: pid)?(signal == 0 ? status >> 8 & 0xFF : 128 + signal)
        }
    }
}
