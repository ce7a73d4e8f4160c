import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    /// Does the steps in a process of its own, where they may take their time, and calls `done` at its end.
    func run(_ steps: Steps, _ done: @escaping (GuestFailure?) -> Void) {
        var status: Int32 = -1
        let pid = steps.withSteps { carpel_spawn_steps($0.baseAddress, $0.count, -1, &status) }
        guard pid > 0 else {
            return loop.later { done(failure(-pid, .system, "start a process")) }
        }
        let reports = Descriptor(status)
        processes.onExit(of: pid) { code in
            var report = carpel_report()
            var descriptor: Int32 = -1
            if carpel_read_report(reports.number, &report, &descriptor) == 1 { return done(steps.failure(report)) }
            done(code == 0 ? nil : GuestFailure(.system, "a process of the agent's ended with \(code)"))
        }
    }

    /// As `run`, but waits no longer than this. What goes wrong is logged.
    func run(_ steps: Steps, atMost milliseconds: UInt64, _ done: @escaping () -> Void) {
        var finish: (() -> Void)? = done
        let end = {
            finish?()
            finish = nil
        }
        let timer = loop.after(milliseconds: milliseconds, end)
        run(steps) { [loop, log] failure in
            if let failure { log.error(failure.message) }
            loop.cancel(timer)
            end()
        }
    }
}
