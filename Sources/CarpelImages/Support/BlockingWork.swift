import Dispatch
import Synchronization

/// Whether work on a thread of its own should stop. It asks; nobody interrupts it.
final class CancellationFlag: Sendable {
    private let cancelled = Atomic(false)

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    func check() throws {
        if cancelled.load(ordering: .relaxed) { throw CancellationError() }
    }
}

/// Runs long work that blocks (unpacking, fsync) outside Swift's cooperative threads.
///
/// - Parameter work: checks its flag often; it is set when the calling task is cancelled.
func onBlockingThread<Value: Sendable>(
    _ work: @escaping @Sendable (CancellationFlag) throws -> Value
) async throws -> Value {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try work(flag) })
            }
        }
    } onCancel: {
        flag.cancel()
    }
}
