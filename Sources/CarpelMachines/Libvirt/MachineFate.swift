import CarpelCore

/// Puts together how a machine ended: the pidfd says when, libvirt's events and Carpel itself say why.
final class MachineFate: Sendable {
    private enum Cause: Sendable {
        case poweredOff, destroyed
    }

    /// libvirt hears of the reason before the process ends, but tells it through its event loop. Without a reason
    /// after this time, there is none.
    static let patience: Duration = .milliseconds(40)

    private let cause = OneShot<Cause>()
    private let end = OneShot<MachineEnd>()
    private let stopped = OneShot<Void>()

    func observe(_ meaning: LifecycleEvent.Meaning, bootLogPath: String?) {
        switch meaning {
        case .poweredOff: cause.fulfil(.poweredOff)
        case .panicked where cause.value == nil:
            end.fulfil(.panicked(console: bootLogPath.map { LogTail.console($0) } ?? ""))
        case .panicked: break
        case .stopped: stopped.fulfil(())
        }
    }

    /// To be called before the domain is destroyed, so that its end is not taken for a death.
    func expectDestruction() { cause.fulfil(.destroyed) }

    /// The process has ended.
    func processEnded(log: String) async {
        let known = try? await withDeadline(Self.patience, reason: "noReason", "hearing why a machine ended") {
            [cause] in
            await cause.wait()
        }
        switch known.flatMap(\.self) {
        case .poweredOff: end.fulfil(.poweredOff)
        case .destroyed: end.fulfil(.destroyed)
        case nil: end.fulfil(.died(log: LogTail.qemu(log)))
        }
    }

    /// Returns when libvirt has tidied up after the domain.
    /// - Returns: False if it has not in `timeout`: after a re-attachment, events may not come.
    func waitForLibvirt(_ timeout: Duration) async -> Bool {
        let done: Void?? = try? await withDeadline(timeout, reason: "noEvent", "hearing of a machine's end") {
            [stopped] in
            await stopped.wait()
        }
        return done.flatMap(\.self) != nil
    }

    func abandon() { end.fulfil(.unobserved) }

    func wait() async -> MachineEnd { await end.wait() ?? .unobserved }
}
