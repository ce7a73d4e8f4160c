import CLibnl
import Glibc

/// Runs jobs one after the other, on a thread of its own: an actor's executor.
///
/// A thread is in one network namespace. Swift's own threads move jobs around; this one stays where it is.
public final class NetworkThread: SerialExecutor {
    private let queue: JobQueue

    /// - Parameters:
    ///   - name: what `ps` shows; at most 15 bytes.
    ///   - namespace: the one to enter, which takes CAP_SYS_ADMIN; nil: the calling thread's.
    /// - Throws: ``NetlinkError`` if the thread cannot start or enter.
    public init(name: String, namespace: NetworkNamespace? = nil) throws {
        queue = JobQueue()
        let start = ThreadStart(name: name, namespace: namespace, queue: queue)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { start in
                start.map { Unmanaged<ThreadStart>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        guard result == 0 else {
            Unmanaged.passUnretained(start).release()
            throw NetlinkError("start the thread \(name)", errorCode: result)
        }
        pthread_detach(thread)
        let errorCode = start.outcome()
        guard errorCode == 0 else {
            throw NetlinkError("enter the network namespace \(namespace?.path ?? "")", errorCode: errorCode)
        }
    }

    deinit { queue.close() }

    public func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), for: asUnownedSerialExecutor())
    }
}

/// What the thread is told, and its answer.
private final class ThreadStart: Sendable {
    private let name: String
    private let namespace: NetworkNamespace?
    private let queue: JobQueue
    private let entered = OneResult()

    init(name: String, namespace: NetworkNamespace?, queue: JobQueue) {
        self.name = name
        self.namespace = namespace
        self.queue = queue
    }

    func outcome() -> Int32 { entered.wait() }

    func run() {
        pthread_setname_np(pthread_self(), name)
        let errorCode = namespace.map(enter) ?? 0
        entered.set(errorCode)
        if errorCode == 0 { queue.run() }
    }

    private func enter(_ namespace: NetworkNamespace) -> Int32 {
        let descriptor = open(namespace.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return setns(descriptor, carpel_clone_newnet) == 0 ? 0 : errno
    }
}
