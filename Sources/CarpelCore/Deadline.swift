/// Runs `operation`, and cancels it when `timeout` has passed.
///
/// - Throws: what `operation` throws, or `CarpelError` with `.deadlineExceeded` and `reason`.
public func withDeadline<Value: Sendable>(
    _ timeout: Duration, reason: String, _ activity: String,
    operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await Task.sleep(for: timeout)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else {
            throw CarpelError(.deadlineExceeded, reason, "\(activity) took longer than \(timeout)")
        }
        return value
    }
}
