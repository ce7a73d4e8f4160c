import CarpelCore
import Glibc

extension CarpelError {
    /// A failed system call. A full disk (`ENOSPC`, `EDQUOT`) gets its own reason, since the caller can do something.
    static func system(_ number: Int32, _ activity: String) -> CarpelError {
        let words = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            return CarpelError(
                .resourceExhausted, "noSpace", "\(activity): \(words); free space on the image file system and retry")
        case ENOENT: return CarpelError(.notFound, "fileNotFound", "\(activity): \(words)")
        case EACCES, EPERM: return CarpelError(.permissionDenied, "fileAccess", "\(activity): \(words)")
        default: return CarpelError(.internal, "systemCall", "\(activity): \(words)")
        }
    }
}
