import CarpelCore
import NIOPosix
import Synchronization

/// Threads of their own for calls that block, so that the cooperative pool never does.
final class BlockingCalls: Sendable {
    private let pool: NIOThreadPool

    init(threads: Int = 8) {
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    /// Does not wait for calls that hang.
    func close() { pool.shutdownGracefully { _ in } }

    /// Runs `call` on one of the threads and waits for it, at most `timeout`. It is not given up when the calling task is
    /// cancelled.
    ///
    /// - Parameter late: Gets what the call returns after the time was up.
    /// - Throws: what `call` throws, or `CarpelError` with `.deadlineExceeded` and `libvirtTimeout`.
    func run<Value: Sendable>(
        _ activity: String, timeout: Duration,
        late: @escaping @Sendable (Value) -> Void = { _ in },
        _ call: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let caller = Caller<Value>()
        let timer = Task {
            try await Task.sleep(for: timeout)
            let message = "\(activity) took longer than \(timeout); libvirt may be stuck on this machine"
            caller.take()?.resume(throwing: CarpelError(.deadlineExceeded, "libvirtTimeout", message))
        }
        defer { timer.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            caller.put(continuation)
            pool.submit { state in
                guard state == .active else {
                    caller.take()?.resume(
                        throwing: CarpelError(.unavailable, "hypervisorClosed", "\(activity): closed"))
                    return
                }
                let result = Result(catching: call)
                if let waiting = caller.take() {
                    waiting.resume(with: result)
                } else if case .success(let value) = result {
                    late(value)
                }
            }
        }
    }

    /// Resumed by whoever takes it: the call or the timer.
    private final class Caller<Value: Sendable>: Sendable {
        private let continuation = Mutex<CheckedContinuation<Value, any Error>?>(nil)

        func put(_ new: CheckedContinuation<Value, any Error>) { continuation.withLock { $0 = new } }
        func take() -> CheckedContinuation<Value, any Error>? { continuation.withLock { $0.take() } }
    }
}
