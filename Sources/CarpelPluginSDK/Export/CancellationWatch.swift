import CEpoll
import Glibc
import Synchronization

/// One thread that waits for the cancellations of all calls: the calls' own threads may be in a system call.
final class CancellationWatch: Sendable {
    /// A task that is cancelled when a file descriptor becomes readable.
    struct Watch: Sendable {
        fileprivate let key: UInt64
        fileprivate let descriptor: Int32
    }

    /// nil where the kernel has no descriptor or thread left: calls then run to their ends.
    static let shared = CancellationWatch()

    private struct State {
        var cancellations: [UInt64: @Sendable () -> Void] = [:]
        var lastKey: UInt64 = 0
    }

    private let epoll: Int32
    private let state = Mutex(State())

    private init?() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { return nil }
        var thread = pthread_t()
        let watch = Unmanaged.passRetained(self)
        let started = pthread_create(
            &thread, nil,
            { watch in
                watch.map { Unmanaged<CancellationWatch>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, watch.toOpaque())
        guard started == 0 else {
            watch.release()
            close(epoll)
            return nil
        }
        pthread_detach(thread)
    }

    func cancel<Value: Sendable>(_ task: Task<Value, Never>, when descriptor: Int32) -> Watch? {
        let watch = state.withLock { state in
            state.lastKey += 1
            state.cancellations[state.lastKey] = { task.cancel() }
            return Watch(key: state.lastKey, descriptor: descriptor)
        }
        var event = epoll_event(
            events: EPOLLIN.rawValue | EPOLLONESHOT.rawValue, data: epoll_data_t(u64: watch.key))
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            forget(watch)
            return nil
        }
        return watch
    }

    /// To be called while the descriptor is still open.
    func end(_ watch: Watch) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, watch.descriptor, nil)
        forget(watch)
    }

    private func forget(_ watch: Watch) {
        _ = state.withLock { $0.cancellations.removeValue(forKey: watch.key) }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 16)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), -1)
            for event in events.prefix(Int(max(0, count))) {
                let cancel = state.withLock { $0.cancellations.removeValue(forKey: event.data.u64) }
                cancel?()
            }
        }
    }
}
