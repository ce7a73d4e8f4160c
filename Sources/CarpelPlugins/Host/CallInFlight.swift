import CarpelCore
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// One call that a host works at, and its caller, who may give up before it ends.
final class CallInFlight: Sendable {
    typealias Outcome = Result<Data, CarpelError>

    /// Thrown to a caller who no longer waits.
    struct GivenUp: Error {
        let error: CarpelError
    }

    private struct State {
        var outcome: Outcome?
        var caller: CheckedContinuation<Data, any Error>?
        var givenUp: CarpelError?
        var timer: Scheduled<Void>?
    }

    private let state = Mutex(State())

    /// What the host has answered.
    func end(_ outcome: Outcome) {
        let (caller, timer) = state.withLock { state in
            state.outcome = outcome
            return (state.caller.take(), state.timer.take())
        }
        timer?.cancel()
        caller?.resume(with: outcome.mapError { $0 as any Error })
    }

    /// Waits for the end, at most `timeout`, and no longer than the calling task lives.
    ///
    /// - Throws: what the call ended with, or ``GivenUp``.
    func wait(atMost timeout: Duration, _ activity: String) async throws -> Data {
        schedule(in: timeout) { call in
            call.giveUp(
                CarpelError(.deadlineExceeded, "deadlineExceeded", "\(activity) took longer than \(timeout)"))
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { caller in
                let (outcome, givenUp) = state.withLock { state in
                    if state.outcome == nil && state.givenUp == nil { state.caller = caller }
                    return (state.outcome, state.givenUp)
                }
                if let outcome {
                    caller.resume(with: outcome.mapError { $0 as any Error })
                } else if let givenUp {
                    caller.resume(throwing: GivenUp(error: givenUp))
                }
            }
        } onCancel: {
            giveUp(CarpelError(.cancelled, "cancelled", "\(activity): cancelled by the caller"))
        }
    }

    private func giveUp(_ error: CarpelError) {
        let caller = state.withLock { state -> CheckedContinuation<Data, any Error>? in
            guard state.outcome == nil, state.givenUp == nil else { return nil }
            state.givenUp = error
            return state.caller.take()
        }
        caller?.resume(throwing: GivenUp(error: error))
    }

    /// Runs `work` unless the call ends within the time.
    func unlessEnded(within grace: Duration, _ work: @escaping @Sendable () -> Void) {
        schedule(in: grace) { call in
            if call.state.withLock({ $0.outcome == nil }) { work() }
        }
    }

    /// In the place of the timer before.
    private func schedule(in time: Duration, _ work: @escaping @Sendable (CallInFlight) -> Void) {
        let timer = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(time)) { work(self) }
        let previous = state.withLock { state -> Scheduled<Void>? in
            guard state.outcome == nil else { return timer }
            defer { state.timer = timer }
            return state.timer
        }
        previous?.cancel()
    }
}
