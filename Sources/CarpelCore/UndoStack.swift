/// What must be undone if the work that is under way fails; each step registers its undo before it runs.
public struct UndoStack: Sendable {
    private var undos: [(what: String, undo: @Sendable () async throws -> Void)] = []

    public init() {}

    public mutating func push(_ what: String, _ undo: @escaping @Sendable () async throws -> Void) {
        undos.append((what, undo))
    }

    /// Runs the undos backwards, all of them, also where the calling task has been cancelled.
    ///
    /// - Returns: what could not be undone, with the reason.
    public func unwind() async -> [String] {
        let undos = undos
        return await Task.detached {
            var leftovers: [String] = []
            for (what, undo) in undos.reversed() {
                do { try await undo() } catch { leftovers.append("\(what): \(error)") }
            }
            return leftovers
        }.value
    }
}

/// Runs `operation` to its end, and waits for that even if the calling task is cancelled meanwhile.
public func shielded<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await Task { try await operation() }.value
}

/// Runs `operation` to its end; a caller that is cancelled stops waiting. A client that hangs up leaves nothing half made.
public func detachedFromCaller<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let end = Latch<Result<Value, any Error>>()
    Task {
        do { await end.set(.success(try await operation())) } catch { await end.set(.failure(error)) }
    }
    return try await end.wait().get()
}
