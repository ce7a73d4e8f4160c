import CLinux
import CarpelGuestProtocol
import Glibc

/// The agent's only loop: descriptors, timers, and what has to wait until the current event is done.
final class EventLoop {
    struct Events: OptionSet {
        let rawValue: UInt32
        static let readable = Events(rawValue: EPOLLIN.rawValue)
        static let writable = Events(rawValue: EPOLLOUT.rawValue)
        static let hungUp = Events(rawValue: EPOLLHUP.rawValue)
        /// Reports changes only.
        static let edges = Events(rawValue: EPOLLET.rawValue)
    }

    typealias Handler = (Events) -> Void
    struct TimerID: Hashable { fileprivate let number: UInt64 }

    /// For whoever reads: handlers run one after the other, so that one buffer does for all of them.
    var scratch = [UInt8](repeating: 0, count: 32 << 10)

    private let epoll: Descriptor
    private var watches: [Int32: (generation: UInt32, handler: Handler)] = [:]
    private var generation: UInt32 = 0
    private var timers: [TimerID: (due: UInt64, action: () -> Void)] = [:]
    private var nextTimer: UInt64 = 0
    private var deferred: [() -> Void] = []

    init() throws(GuestFailure) {
        epoll = Descriptor(try check(epoll_create1(Int32(EPOLL_CLOEXEC)), "epoll_create1"))
    }

    func watch(_ descriptor: Descriptor, _ events: Events, _ handler: @escaping Handler) throws(GuestFailure) {
        generation &+= 1
        var event = epoll_event()
        event.events = events.rawValue
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor.number))
        try check(epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor.number, &event), "epoll_ctl")
        watches[descriptor.number] = (generation, handler)
    }

    /// Before the descriptor is closed. Unwatched ones are left alone.
    func forget(_ descriptor: Descriptor) {
        guard watches.removeValue(forKey: descriptor.number) != nil else { return }
        var event = epoll_event()
        epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor.number, &event)
    }

    @discardableResult
    func after(milliseconds: UInt64, _ action: @escaping () -> Void) -> TimerID {
        nextTimer += 1
        let timer = TimerID(number: nextTimer)
        timers[timer] = (Clock.steady + milliseconds * 1_000_000, action)
        return timer
    }

    func cancel(_ timer: TimerID) { timers[timer] = nil }
    func isPending(_ timer: TimerID) -> Bool { timers[timer] != nil }

    /// Runs `action` once the events at hand have been handled.
    func later(_ action: @escaping () -> Void) { deferred.append(action) }

    func run() -> Never {
        var events = [epoll_event](repeating: epoll_event(), count: 32)
        while true {
            let count = epoll_wait(epoll.number, &events, Int32(events.count), timeout)
            for event in events.prefix(max(0, Int(count))) { dispatch(event) }
            runTimers()
            let actions = deferred
            deferred = []
            for action in actions { action() }
        }
    }

    private func dispatch(_ event: epoll_event) {
        let number = Int32(truncatingIfNeeded: event.data.u64)
        // The descriptor may have been closed, and its number given away, since the event was collected.
        guard let watch = watches[number], watch.generation == UInt32(event.data.u64 >> 32) else { return }
        watch.handler(Events(rawValue: event.events))
    }

    private var timeout: Int32 {
        if !deferred.isEmpty { return 0 }
        guard let first = timers.values.map(\.due).min() else { return -1 }
        let now = Clock.steady
        return first <= now ? 0 : Int32(clamping: (first - now) / 1_000_000 + 1)
    }

    private func runTimers() {
        guard !timers.isEmpty else { return }
        let now = Clock.steady
        for (timer, entry) in timers.sorted(by: { $0.value.due < $1.value.due }) where entry.due <= now {
            guard timers.removeValue(forKey: timer) != nil else { continue }
            entry.action()
        }
    }
}
