import Foundation

/// Runs `body` on a thread that begins and ends with it.
///
/// The place for what must not touch the threads that Swift's tasks share: a changed namespace ends with the thread.
public func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: body)) }.start()
    }
}
