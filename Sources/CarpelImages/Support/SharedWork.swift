import Synchronization

/// Work that several callers want at the same time and that must be done once, such as the download of one blob.
///
/// The first caller starts it, others with the same key join and see its progress. A caller that is cancelled leaves;
/// when the last one has left, the work itself is cancelled, and whoever asks next waits for its end and starts anew.
final class SharedWork<Key: Hashable & Sendable, Progress: Sendable, Value: Sendable>: Sendable {
    typealias Report = @Sendable (Progress) -> Void
    typealias Operation = @Sendable (@escaping Report) async throws -> Value

    private typealias Caller = AsyncThrowingStream<Event, any Error>.Continuation

    private enum Event: Sendable {
        case progress(Progress)
        case finished(Value)
    }

    private struct Work {
        let number: Int
        let task: Task<Void, Never>
        var callers: [Int: Caller] = [:]
        /// The last caller has left: nobody joins any more.
        var abandoned = false
    }

    private struct State {
        var works: [Key: Work] = [:]
        var lastNumber = 0

        mutating func number() -> Int {
            lastNumber += 1
            return lastNumber
        }
    }

    private let state = Mutex(State())

    func run(_ key: Key, progress: Report, operation: @escaping Operation) async throws -> Value {
        try Task.checkCancellation()
        // The value is the last event: keeping the newest ones never loses it.
        let (events, caller) = AsyncThrowingStream<Event, any Error>.makeStream(bufferingPolicy: .bufferingNewest(4))
        join(key, caller, operation)
        for try await event in events {
            switch event {
            case .progress(let value): progress(value)
            case .finished(let value): return value
            }
        }
        throw CancellationError()
    }

    /// How many wait for the work of `key`.
    func callerCount(_ key: Key) -> Int { state.withLock { $0.works[key]?.callers.count ?? 0 } }

    private func join(_ key: Key, _ caller: Caller, _ operation: @escaping Operation) {
        let (work, id) = state.withLock { state in
            let id = state.number()
            let previous = state.works[key]
            if previous?.abandoned != false {
                let number = state.number()
                state.works[key] = Work(number: number, task: start(key, number, after: previous?.task, operation))
            }
            state.works[key]?.callers[id] = caller
            return (state.works[key]?.number, id)
        }
        caller.onTermination = { _ in self.leave(key, work, id) }
    }

    private func start(
        _ key: Key, _ number: Int, after previous: Task<Void, Never>?, _ operation: @escaping Operation
    ) -> Task<Void, Never> {
        Task {
            await previous?.value
            do {
                let value = try await operation { self.publish(key, number, $0) }
                for caller in self.end(key, number) {
                    caller.yield(.finished(value))
                    caller.finish()
                }
            } catch {
                for caller in self.end(key, number) { caller.finish(throwing: error) }
            }
        }
    }

    private func publish(_ key: Key, _ number: Int, _ progress: Progress) {
        for caller in callers(key, number) { caller.yield(.progress(progress)) }
    }

    private func callers(_ key: Key, _ number: Int) -> [Caller] {
        state.withLock { state in
            guard let work = state.works[key], work.number == number else { return [] }
            return Array(work.callers.values)
        }
    }

    private func end(_ key: Key, _ number: Int) -> [Caller] {
        state.withLock { state in
            guard let work = state.works[key], work.number == number else { return [] }
            state.works[key] = nil
            return Array(work.callers.values)
        }
    }

    private func leave(_ key: Key, _ number: Int?, _ id: Int) {
        let abandoned = state.withLock { state -> Task<Void, Never>? in
            guard let work = state.works[key], work.number == number else { return nil }
            state.works[key]?.callers[id] = nil
            guard state.works[key]?.callers.isEmpty == true else { return nil }
            state.works[key]?.abandoned = true
            return work.task
        }
        abandoned?.cancel()
    }
}
