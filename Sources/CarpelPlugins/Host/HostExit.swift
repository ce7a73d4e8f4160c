import CarpelCore
import Foundation
import Subprocess
import Synchronization

/// How a host's process ends, and the means to end it.
final class HostExit: Sendable {
    /// The last of a host.
    struct End: Sendable, CustomStringConvertible {
        let description: String
        /// The host ended by itself when its socket was closed.
        let isOrderly: Bool
    }

    private struct State {
        var cause: String?
        var group: HostControlGroup?
        var run: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let latch = Latch<End>()
    private let log: HostLog

    init(log: HostLog) { self.log = log }

    /// Waits for the process in a task of its own, which also ends the process when it is cancelled.
    func watch(_ run: @escaping @Sendable () async throws -> TerminationStatus) {
        let task = Task {
            let result: Result<TerminationStatus, any Error>
            do { result = .success(try await run()) } catch { result = .failure(error) }
            await ended(result)
        }
        state.withLock { $0.run = task }
    }

    /// The group is taken away with all that is left in it when the host has ended.
    func cleanUp(_ group: HostControlGroup) { state.withLock { $0.group = group } }

    /// - Parameter cause: completes the sentence "the host was killed because …".
    func kill(because cause: String) {
        let run = state.withLock { state in
            state.cause = state.cause ?? cause
            return state.run
        }
        run?.cancel()
    }

    /// Waits for the end of the process, whether or not the calling task is cancelled.
    func end() async -> End { await Task { [latch] in try? await latch.wait() }.value ?? .unknown }

    private func ended(_ result: Result<TerminationStatus, any Error>) async {
        let (cause, group) = state.withLock { ($0.cause, $0.group) }
        let usedUp = group?.memoryWasUsedUp ?? false
        await group?.remove()
        // What it wrote last may still be in the pipe; a child that the group did not hold could keep it open for ever.
        try? await withDeadline(.seconds(1), reason: "", "") { [log] in try await log.end() }
        await latch.set(End(result, killed: cause, memoryWasUsedUp: usedUp, lastWords: log.lastWords))
    }
}

extension HostExit.End {
    fileprivate static let unknown = HostExit.End(description: "nobody saw its end", isOrderly: false)

    fileprivate init(
        _ result: Result<TerminationStatus, any Error>, killed cause: String?, memoryWasUsedUp: Bool, lastWords: String
    ) {
        let words = lastWords.isEmpty ? "" : "; its last words: \(lastWords)"
        switch result {
        case .success(.exited(0)): self.init(description: "it ended", isOrderly: true)
        case .success(.exited(let code)):
            self.init(description: "it ended with exit code \(code)\(words)", isOrderly: false)
        case .success(.signaled(let signal)):
            let why = cause ?? (memoryWasUsedUp ? "its memory limit was reached" : nil)
            let text =
                why.map { "it was killed because \($0)" } ?? "it was killed by signal \(signal) (\(Self.name(signal)))"
            self.init(description: text + words, isOrderly: false)
        case .failure(let error): self.init(description: "it could not be run: \(error)", isOrderly: false)
        }
    }

    private static func name(_ signal: Int32) -> String { strsignal(signal).map { String(cString: $0) } ?? "unknown" }
}
