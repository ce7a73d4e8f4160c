import CarpelCore
import Logging

extension TransferConfiguration {
    /// Tries `operation` until it succeeds, fails for good, or the attempts are used up.
    ///
    /// `.unavailable` is what may pass. Waits double, and differ by chance: many nodes do not come back at once.
    func retrying<Value: Sendable>(
        _ what: String, logger: Logger, _ operation: @Sendable () async throws -> Value
    ) async throws -> Value {
        var delay = retryDelaySeconds
        for attempt in 1... {
            do {
                return try await operation()
            } catch let error as CarpelError where error.code == .unavailable && attempt < attempts {
                logger.warning("\(what) failed, will retry", metadata: ["error": "\(error)", "attempt": "\(attempt)"])
                try await Task.sleep(for: .seconds(delay * Double.random(in: 0.5...1)))
                delay = min(delay * 2, 30)
            }
        }
        throw CancellationError()
    }
}
