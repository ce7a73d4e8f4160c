import Glibc
import Synchronization

private let endings = Mutex<[@Sendable () -> Void]>([])

/// Does `work` when the test process ends: what tests share has no last owner.
public func atProcessEnd(_ work: @escaping @Sendable () -> Void) {
    let isFirst = endings.withLock {
        $0.append(work)
        return $0.count == 1
    }
    if isFirst { atexit { endings.withLock { $0 }.forEach { $0() } } }
}
