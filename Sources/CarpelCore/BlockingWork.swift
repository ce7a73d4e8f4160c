import Dispatch

/// Runs long work that blocks (unpacking, fsync) outside Swift's cooperative threads.
///
/// - Parameter work: checks its flag often; it is set when the calling task is cancelled.
public func onBlockingThread<Value: Sendable>(
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
