import Dispatch
import Synchronization

/// Jobs in the order of their arrival.
final class JobQueue: Sendable {
    private struct Entry: Sendable {
        let job: UnownedJob
        let executor: UnownedSerialExecutor
    }

    private struct State {
        var entries: [Entry] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)

    func append(_ job: UnownedJob, for executor: UnownedSerialExecutor) {
        state.withLock { $0.entries.append(Entry(job: job, executor: executor)) }
        arrived.signal()
    }

    /// Ends `run`; no job may follow.
    func close() {
        state.withLock { $0.isClosed = true }
        arrived.signal()
    }

    /// Runs jobs on the calling thread until the queue is closed.
    func run() {
        while let entry = next() { entry.job.runSynchronously(on: entry.executor) }
    }

    private func next() -> Entry? {
        arrived.wait()
        return state.withLock { $0.entries.isEmpty ? nil : $0.entries.removeFirst() }
    }
}

/// A number that one thread waits for and another sets, once.
final class OneResult: Sendable {
    private let value = Mutex<Int32>(0)
    private let arrived = DispatchSemaphore(value: 0)

    func set(_ new: Int32) {
        value.withLock { $0 = new }
        arrived.signal()
    }

    func wait() -> Int32 {
        arrived.wait()
        return value.withLock { $0 }
    }
}
