import NIOCore
import Synchronization

/// The latest events, numbered without gaps, for any number of readers, each at its own pace.
///
/// Readers hold nothing but a number: memory is bounded by the capacity, whoever reads, and a writer waits for nobody.
final class EventLog<Element: Sendable>: Sendable {
    private struct State {
        var elements: CircularBuffer<Element>
        /// Of the latest element.
        var last: UInt64
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var nextWaiter: UInt64 = 0

        /// Of the oldest element that is kept, or of the next one to come.
        var first: UInt64 { last + 1 - UInt64(elements.count) }
    }

    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameter base: the first element gets the number behind it.
    init(after base: UInt64 = 0, capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(elements: CircularBuffer(), last: base))
    }

    /// Of the latest element; the base if there has been none.
    var last: UInt64 { state.withLock { $0.last } }

    /// All that is kept.
    var elements: [Element] { state.withLock { Array($0.elements) } }

    /// Whether everything behind `number` is kept.
    func keepsAll(after number: UInt64) -> Bool {
        state.withLock { number <= $0.last && number + 1 >= $0.first }
    }

    /// - Parameter make: gets the element's number.
    func append(_ make: (UInt64) -> Element) {
        let waiters = state.withLock { state in
            if state.elements.count == capacity { state.elements.removeFirst() }
            state.last += 1
            state.elements.append(make(state.last))
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the element behind `number`. Where that is no longer kept, gives the oldest one that is, and how many
    /// were missed.
    func next(after number: UInt64) async throws -> (number: UInt64, element: Element, missed: UInt64) {
        while true {
            try Task.checkCancellation()
            if let next = find(after: number) { return next }
            try await wait(after: number)
        }
    }

    private func find(after number: UInt64) -> (number: UInt64, element: Element, missed: UInt64)? {
        state.withLock { state in
            guard number < state.last else { return nil }
            let found = max(number + 1, state.first)
            let index = state.elements.index(state.elements.startIndex, offsetBy: Int(found - state.first))
            return (found, state.elements[index], found - number - 1)
        }
    }

    private func wait(after number: UInt64) async throws {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isLate = state.withLock { state in
                    guard state.last <= number, !Task.isCancelled else { return true }
                    state.waiters[waiter] = continuation
                    return false
                }
                if isLate { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { $0.waiters.removeValue(forKey: waiter) }
            continuation?.resume(throwing: CancellationError())
        }
    }
}
