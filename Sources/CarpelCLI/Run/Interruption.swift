import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM as the cancellation of a task.
enum Interruption {
    /// Runs `body`, which the first SIGINT or SIGTERM cancels, as a cancellation of the caller does; the second ends the
    /// process at once.
    ///
    /// - Returns: what `body` returns, and the signal that came, if one did.
    static func cancelling<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async -> (result: Result<Value, any Error>, signal: Int32?) {
        let work = Task(operation: body)
        let received = Mutex<Int32?>(nil)
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                let isFirst = received.withLock { first in
                    defer { first = first ?? number }
                    return first == nil
                }
                if isFirst { return work.cancel() }
                RawTerminal.restore()
                _exit(128 + number)
            }
            source.resume()
            return source
        }
        let result = await withTaskCancellationHandler {
            await work.result
        } onCancel: {
            work.cancel()
        }
        sources.forEach { $0.cancel() }
        return (result, received.withLock { $0 })
    }
}
