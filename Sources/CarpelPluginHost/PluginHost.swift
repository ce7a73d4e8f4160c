import CCapability
import Glibc
import Synchronization

/// Serves the calls of one plugin, each on a thread of its own.
///
/// The thread that has read a call does it, and leaves reading to another: a call costs no change of threads.
final class PluginHost: Sendable {
    /// How long calls have to end after the daemon is gone, in nanoseconds.
    private static let lastCallsNanoseconds: UInt64 = 5_000_000_000

    private let socket: HostSocket
    private let plugin: LoadedPlugin
    private let calls = Mutex(CallTable())
    private let reading: Mutex<HostSocket.Buffer>

    init(socket: HostSocket, buffer: HostSocket.Buffer, plugin: LoadedPlugin) {
        self.socket = socket
        self.plugin = plugin
        reading = Mutex(buffer)
    }

    /// What every thread does. It ends with the process.
    func serve() -> Never {
        // Each thread's own, for one call after the other.
        let cancelled = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        while true {
            let call = nextCall(cancelled)
            let answer = Result { try plugin.call(call, cancelled: cancelled) }
            if calls.withLock({ $0.end(call) }) {
                var count = eventfd_t()
                eventfd_read(cancelled, &count)
            }
            respond(to: call, answer)
        }
    }

    private func respond(to call: CallRequest, _ answer: Result<[UInt8], any Error>) {
        switch answer {
        case .success(let bytes): socket.answer(call.id, result: bytes)
        case .failure(let error as HostFailure): socket.answer(call.id, error: error)
        case .failure(let error): socket.answer(call.id, error: HostFailure(.internal, "unexpected", "\(error)"))
        }
    }

    private func nextCall(_ cancelled: Int32) -> CallRequest {
        if let waiting = calls.withLock({ $0.takeWaiting(cancelled: cancelled) }) { return waiting }
        return reading.withLock { buffer in
            calls.withLock { $0.becameReader() }
            while true {
                let deadline = calls.withLock(\.nextDeadline)
                switch socket.next(&buffer, until: deadline) {
                case .timeout: calls.withLock { $0.cancel(pastDeadline: monotonicNanoseconds()) }
                case .closed: end()
                case .line(let line): if let call = take(line, cancelled) { return call }
                }
            }
        }
    }

    /// - Returns: the call that this thread is to do.
    private func take(_ line: [UInt8], _ cancelled: Int32) -> CallRequest? {
        switch try? HostMessage(line: line) {
        case .call(let call):
            switch calls.withLock({ $0.place(call, cancelled: cancelled) }) {
            case .here: return call
            case .hereWithNewReader:
                startThread()
                return call
            case .queued: break
            case .refused:
                let failure = HostFailure(.resourceExhausted, "tooManyCalls", "too many calls of the plugin wait")
                socket.answer(call.id, error: failure)
            }
        case .cancel(let id):
            if let call = calls.withLock({ $0.cancel(id) }) {
                socket.answer(call.id, error: HostFailure(.cancelled, "cancelled", "cancelled before it began"))
            }
        case .start, nil: end()
        }
        return nil
    }

    private func startThread() {
        var thread = pthread_t()
        let host = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, nil,
            { host in
                guard let host else { return nil }
                Unmanaged<PluginHost>.fromOpaque(host).takeRetainedValue().serve()
            }, host.toOpaque())
        // Without a reader the host would be deaf: the daemon starts another.
        guard result == 0 else { endProcess(71, "cannot start a thread: \(String(cString: strerror(result)))") }
        pthread_detach(thread)
    }

    /// Ends the process, after the calls in flight.
    private func end() -> Never {
        calls.withLock { $0.cancelAll() }
        let deadline = monotonicNanoseconds() + Self.lastCallsNanoseconds
        while !calls.withLock(\.isIdle) {
            guard monotonicNanoseconds() < deadline else { endProcess(75, "calls run on although the daemon is gone") }
            usleep(2000)
        }
        plugin.destroy()
        endProcess(0, nil)
    }
}

/// Without the destructors of libraries whose threads may still run.
func endProcess(_ status: Int32, _ message: String?) -> Never {
    if let message {
        let line = "carpel-plugin-host: \(message)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
    fflush(nil)
    _exit(status)
}
