import CCapability
import Glibc
import Synchronization

/// The calls that run and those that wait for a thread.
struct CallTable {
    /// Threads, and so calls at once; one more reads.
    private static let mostThreads = 64
    /// Calls that wait; a daemon that sends more is out of its mind.
    private static let mostWaiting = 1024

    private struct Running {
        let deadline: UInt64
        let cancelled: Int32
        var isCancelled = false
    }

    private var running: [Int64: Running] = [:]
    private var waiting: [CallRequest] = []
    private var threads = 1
    /// Threads that wait to read.
    private var idle = 0

    enum Placement {
        /// The reading thread does it; another one reads.
        case here
        /// The reading thread does it, and a new one is to be started.
        case hereWithNewReader
        case queued
        case refused
    }

    /// Decides who does a call that the reading thread has read. There is always a thread left that reads: cancellations
    /// and deadlines are its business.
    ///
    /// A call that is done here counts as running from now on: the next message may be its cancellation.
    /// - Parameter cancelled: the reading thread's descriptor.
    mutating func place(_ call: CallRequest, cancelled: Int32) -> Placement {
        if idle > 0 {
            begin(call, cancelled)
            return .here
        }
        if threads <= Self.mostThreads {
            threads += 1
            begin(call, cancelled)
            return .hereWithNewReader
        }
        guard waiting.count < Self.mostWaiting else { return .refused }
        waiting.append(call)
        return .queued
    }

    /// A call that waited, for a thread that has ended another; nil if it may read next.
    mutating func takeWaiting(cancelled: Int32) -> CallRequest? {
        guard !waiting.isEmpty else {
            idle += 1
            return nil
        }
        let call = waiting.removeFirst()
        begin(call, cancelled)
        return call
    }

    /// The thread has the turn to read.
    mutating func becameReader() { idle -= 1 }

    private mutating func begin(_ call: CallRequest, _ cancelled: Int32) {
        running[call.id] = Running(deadline: call.deadline, cancelled: cancelled)
    }

    /// - Returns: whether the thread's descriptor is readable and must be made unreadable for the next call.
    mutating func end(_ call: CallRequest) -> Bool { running.removeValue(forKey: call.id)?.isCancelled ?? false }

    /// - Returns: the call if it still waited; it then will not run.
    mutating func cancel(_ id: Int64) -> CallRequest? {
        if let index = waiting.firstIndex(where: { $0.id == id }) { return waiting.remove(at: index) }
        signal(id)
        return nil
    }

    /// The next deadline of a call that runs and does not know yet that its time is up.
    var nextDeadline: UInt64? { running.values.filter { !$0.isCancelled }.map(\.deadline).min() }

    mutating func cancel(pastDeadline now: UInt64) {
        for (id, call) in running where call.deadline <= now { signal(id) }
    }

    mutating func cancelAll() {
        waiting = []
        for id in running.keys { signal(id) }
    }

    var isIdle: Bool { running.isEmpty }

    private mutating func signal(_ id: Int64) {
        guard let call = running[id], !call.isCancelled else { return }
        running[id]?.isCancelled = true
        eventfd_write(call.cancelled, 1)
    }
}
