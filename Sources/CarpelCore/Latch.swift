/// A value that is set once and that any number of tasks wait for.
public actor Latch<Value: Sendable> {
    private var value: Value?
    private var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
    private var nextWaiter = 0

    public init() {}

    /// The first call counts; later ones change nothing.
    public func set(_ value: Value) {
        guard self.value == nil else { return }
        self.value = value
        let waiting = waiters
        waiters = [:]
        for waiter in waiting.values { waiter.resume(returning: value) }
    }

    /// Returns as soon as the value is set; throws `CancellationError` if the waiting task is cancelled.
    public func wait() async throws -> Value {
        if let value { return value }
        let waiter = nextWaiter
        nextWaiter += 1
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await self.cancel(waiter) }
        }
    }

    private func cancel(_ waiter: Int) {
        waiters.removeValue(forKey: waiter)?.resume(throwing: CancellationError())
    }
}
