import Dispatch
import Synchronization

/// Runs asynchronous work on the calling thread, which belongs to the host, to its end.
///
/// A verb may therefore block in C libraries and system calls: it keeps its own thread waiting and no other call.
///
/// - Parameter cancelled: a file descriptor; the work's task is cancelled when it becomes readable.
func runOnThisThread<Value: Sendable>(
    until cancelled: Int32? = nil, _ work: @escaping @Sendable () async throws -> Value
) throws -> Value {
    let thread = CallThread.take()
    let outcome = Outcome<Value>()
    let task = Task(executorPreference: thread) {
        do { outcome.set(.success(try await work())) } catch { outcome.set(.failure(error)) }
        thread.finish()
    }
    let watch = cancelled.flatMap { CancellationWatch.shared?.cancel(task, when: $0) }
    thread.run()
    if let watch { CancellationWatch.shared?.end(watch) }
    thread.giveBack()
    return try outcome.get()
}

/// A thread of the host's that is lent to a task for one call.
///
/// They are kept and used again: an actor may still hand a job to one whose call has ended.
private final class CallThread: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isLent = true
        var isFinished = false
    }

    private static let idle = Mutex<[CallThread]>([])

    private let state = Mutex(State())
    private let jobArrived = DispatchSemaphore(value: 0)

    static func take() -> CallThread {
        guard let thread = idle.withLock({ $0.popLast() }) else { return CallThread() }
        thread.state.withLock { $0 = State() }
        return thread
    }

    func giveBack() { Self.idle.withLock { $0.append(self) } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = state.withLock { state in
            if state.isLent { state.jobs.append(job) }
            return state.isLent
        }
        if isTaken { jobArrived.signal() } else { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }

    /// To be called by the last job.
    func finish() { state.withLock { $0.isFinished = true } }

    /// Runs jobs until the last one, on the calling thread.
    func run() {
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        let leftovers = state.withLock { state -> [UnownedJob]? in
            guard state.isFinished else { return nil }
            state.isLent = false
            defer { state.jobs = [] }
            return state.jobs
        }
        if let leftovers {
            for job in leftovers {
                jobArrived.wait()
                globalConcurrentExecutor.enqueue(ExecutorJob(job))
            }
            return nil
        }
        jobArrived.wait()
        return state.withLock { $0.jobs.removeFirst() }
    }
}

/// What a call's task leaves for its thread.
private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>>(.failure(CancellationError()))

    func set(_ new: Result<Value, any Error>) { result.withLock { $0 = new } }
    func get() throws -> Value { try result.withLock { $0 }.get() }
}
