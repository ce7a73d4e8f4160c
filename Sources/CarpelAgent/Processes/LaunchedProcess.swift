import CLinux
import CarpelGuestProtocol
import Glibc

/// A process between clone and exec, and from there to its end.
final class LaunchedProcess {
    let pid: pid_t
    let pidfd: Descriptor
    /// The master of its terminal, once launched, if it was to have one.
    private(set) var terminal: Descriptor?

    private let loop: EventLoop
    private let plan: ProcessPlan
    private var status: Descriptor?
    private var launched: ((LaunchedProcess, Result<Void, GuestFailure>) -> Void)?
    private var hasFailed = false
    private var exited: ((Int32) -> Void)?

    /// - Parameters:
    ///   - launched: Called once, when the process has become its program or has failed to.
    ///   - exited: Called behind `launched`, only if that was a success.
    init(
        _ plan: ProcessPlan, loop: EventLoop, table: ProcessTable,
        launched: @escaping (LaunchedProcess, Result<Void, GuestFailure>) -> Void, exited: @escaping (Int32) -> Void
    ) throws(GuestFailure) {
        self.loop = loop
        self.plan = plan
        self.launched = launched
        self.exited = exited
        var pidfd: Int32 = -1
        var status: Int32 = -1
        pid = try checkNegative(plan.spawn(&pidfd, &status), "start a process")
        self.pidfd = Descriptor(pidfd)
        let socket = Descriptor(status)
        self.status = socket
        table.onExit(of: pid) { [self] code in exit(code) }
        try loop.watch(socket, .readable) { [weak self] _ in self?.readReports() }
    }

    func signal(_ number: Int32) throws(GuestFailure) {
        let result = carpel_pidfd_signal(pidfd.number, number)
        if result == -ESRCH { throw GuestFailure(.notFound, "the process has ended", errno: ESRCH) }
        try checkNegative(result, .invalidArgument, "send signal \(number)")
    }

    private func exit(_ code: Int32) {
        // What it said last is read first: it may have failed without the loop having come to it.
        readReports()
        let exited = exited
        // Whoever waited for it holds this in turn.
        self.exited = nil
        if !hasFailed { exited?(code) }
    }

    private func readReports() {
        while let socket = status {
            var report = carpel_report()
            var descriptor: Int32 = -1
            switch carpel_read_report(socket.number, &report, &descriptor) {
            case 1 where report.stage == CARPEL_STAGE_TERMINAL_READY.rawValue:
                terminal = Descriptor(descriptor)
            case 1:
                finish(.failure(plan.failure(report)))
            case 0:
                finish(.success(()))
            case -EAGAIN, -EINTR:
                return
            case let error:
                finish(.failure(failure(-error, .system, "start \(plan.name)")))
            }
        }
    }

    private func finish(_ result: Result<Void, GuestFailure>) {
        if let status { loop.forget(status) }
        status = nil
        if case .failure = result { hasFailed = true }
        launched?(self, result)
        launched = nil
    }
}
