import FoundationEssentials
import Glibc

/// `{"error": …}` for what a verb has thrown.
///
/// - Parameter deadline: nanoseconds of CLOCK_MONOTONIC; a cancellation after it is the deadline's.
func failureAnswer(_ error: any Error, deadline: UInt64 = .max) -> Data {
    let failure =
        switch error {
        case let error as PluginError: error
        case is CancellationError where monotonicNanoseconds() >= deadline:
            PluginError(.deadlineExceeded, "deadlineExceeded", "the call's time was up before it was done")
        case is CancellationError: PluginError(.cancelled, "cancelled", "cancelled by the caller")
        default: PluginError(.internal, "unexpected", "\(error)")
        }
    do {
        return try JSONEncoder().encode(["error": failure])
    } catch {
        return Data(#"{"error":{"code":"INTERNAL","reason":"unexpected","message":"the error has no text"}}"#.utf8)
    }
}

private func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
