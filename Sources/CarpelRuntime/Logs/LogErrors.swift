import CarpelCore
import Glibc

extension CarpelError {
    /// What went wrong with a container's log, or beside it; `error` is errno's.
    static func log(_ verb: String, _ path: String, _ error: Int32) -> CarpelError {
        let isFull = error == ENOSPC || error == EDQUOT
        return CarpelError(
            isFull ? .resourceExhausted : .failedPrecondition, isFull ? "noSpace" : "logNotWritable",
            "cannot \(verb) the container's log \(path): \(String(cString: strerror(error)))"
                + (isFull ? "; its output waits in the machine until there is room" : ""))
    }
}
