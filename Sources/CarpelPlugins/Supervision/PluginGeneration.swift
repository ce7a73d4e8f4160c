import CarpelCore

/// One version of a plugin's library: the one that serves, or an older one that pods still use.
///
/// It belongs to its supervisor, which alone touches it.
final class PluginGeneration {
    enum State {
        /// Its host is being started; whoever waits for it waits for the latch.
        case starting(Latch<Start>)
        case ready(HostProcess)
        case backingOff(until: ContinuousClock.Instant, since: CarpelError, Latch<Start>)
        case failed(CarpelError)
        case ended
    }

    typealias Start = Result<HostProcess, CarpelError>

    let number: Int
    let launch: HostLaunch
    var state = State.starting(Latch()) { didSet { launch.hosting.changed() } }
    /// Attachments that it has made.
    var users: Set<AttachmentUser> = []
    var callsInFlight = 0
    /// Keeps a host running.
    var life: Task<Void, Never>?

    init(number: Int, launch: HostLaunch) {
        self.number = number
        self.launch = launch
    }

    var host: HostProcess? { if case .ready(let host) = state { host } else { nil } }
    var hasEnded: Bool { if case .ended = state { true } else { false } }
}
