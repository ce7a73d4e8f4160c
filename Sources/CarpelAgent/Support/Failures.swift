import CarpelGuestProtocol
import Glibc

/// The result of a system call that tells failure by -1 and errno.
@discardableResult
func check(
    _ result: Int32, _ reason: GuestFailure.Reason, _ activity: @autoclosure () -> String
) throws(GuestFailure) -> Int32 {
    guard result < 0 else { return result }
    throw failure(errno, reason, activity())
}

/// The result of a function that tells failure by a negative errno.
@discardableResult
func checkNegative(
    _ result: Int32, _ reason: GuestFailure.Reason, _ activity: @autoclosure () -> String
) throws(GuestFailure) -> Int32 {
    guard result < 0 else { return result }
    throw failure(-result, reason, activity())
}

@discardableResult
func check(_ result: Int32, _ activity: @autoclosure () -> String) throws(GuestFailure) -> Int32 {
    try check(result, .system, activity())
}

@discardableResult
func checkNegative(_ result: Int32, _ activity: @autoclosure () -> String) throws(GuestFailure) -> Int32 {
    try checkNegative(result, .system, activity())
}

func failure(_ error: Int32, _ reason: GuestFailure.Reason, _ activity: String) -> GuestFailure {
    let reason =
        switch error {
        case ENOSPC: GuestFailure.Reason.noSpace
        case ENOMEM: GuestFailure.Reason.outOfMemory
        default: reason
        }
    return GuestFailure(reason, "\(activity): \(String(cString: strerror(error)))", errno: error)
}

func asFailure(_ error: any Error, _ activity: String) -> GuestFailure {
    error as? GuestFailure ?? GuestFailure(.system, "\(activity): \(error)")
}
