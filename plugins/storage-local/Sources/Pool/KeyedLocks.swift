import Synchronization

/// What verbs wait for each other at. Taken in this order, and so never in a circle.
enum LockKey: Hashable, Comparable, Sendable {
    case volumeName(String)
    case snapshotName(String)
    case volume(String)
    case snapshot(String)
}

/// Locks that are there as long as somebody holds them; who waits is served in turn, and can be cancelled.
final class KeyedLocks: Sendable {
    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        /// Those who wait for each lock that is held.
        var waiters: [LockKey: [Waiter]] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Throws: `CancellationError`; then none of the locks is held.
    func hold<Value>(_ keys: [LockKey], _ work: () async throws -> Value) async throws -> Value {
        var held: [LockKey] = []
        defer { held.reversed().forEach(release) }
        for key in keys.sorted() {
            try await acquire(key)
            held.append(key)
        }
        return try await work()
    }

    private func acquire(_ key: LockKey) async throws {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(Waiter(number: number, continuation: continuation), for: key)
            }
        } onCancel: {
            cancel(number, for: key)
        }
        _ = state.withLock { $0.cancelled.remove(number) }
    }

    private func enqueue(_ waiter: Waiter, for key: LockKey) {
        let outcome: Result<Void, any Error>? = state.withLock { state in
            if state.cancelled.remove(waiter.number) != nil { return .failure(CancellationError()) }
            guard state.waiters[key] != nil else {
                state.waiters[key] = []
                return .success(())
            }
            state.waiters[key]?.append(waiter)
            return nil
        }
        if let outcome { waiter.continuation.resume(with: outcome) }
    }

    private func cancel(_ number: UInt64, for key: LockKey) {
        let waiter = state.withLock { state -> Waiter? in
            guard let place = state.waiters[key]?.firstIndex(where: { $0.number == number }) else {
                state.cancelled.insert(number)
                return nil
            }
            return state.waiters[key]?.remove(at: place)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    private func release(_ key: LockKey) {
        let next = state.withLock { state -> Waiter? in
            if state.waiters[key]?.isEmpty ?? true {
                state.waiters[key] = nil
                return nil
            }
            return state.waiters[key]?.removeFirst()
        }
        next?.continuation.resume()
    }
}
