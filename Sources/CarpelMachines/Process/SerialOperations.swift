/// Runs operations one after the other, in the order in which they arrive.
actor SerialOperations {
    private var last: Task<Void, Never>?

    /// An operation that has begun is not cancelled with its caller.
    func run<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let previous = last
        let task = Task {
            await previous?.value
            return try await operation()
        }
        last = Task { _ = await task.result }
        return try await task.value
    }
}
