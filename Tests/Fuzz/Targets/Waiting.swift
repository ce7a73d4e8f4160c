import Dispatch
import Synchronization

/// Blocks this thread, which must be none of the tasks' own, until `body` has ended.
func waiting<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) throws -> Value {
    let box = Box<Value>()
    let ended = DispatchSemaphore(value: 0)
    Task {
        let value = await body()
        box.value.withLock { $0 = value }
        ended.signal()
    }
    ended.wait()
    guard let value = box.value.withLock({ $0 }) else { throw Finding("a task ended without a value") }
    return value
}

private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}
