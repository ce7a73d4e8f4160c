import CarpelPluginSDK
import Glibc

/// `errno` as a ``PluginError``: `noSpace`, `tooLarge`, `accessDenied` or `inputOutput`.
func systemError(_ what: String, _ number: Int32 = errno) -> PluginError {
    let words = "\(what): \(String(cString: strerror(number)))"
    return switch number {
    case ENOSPC, EDQUOT:
        PluginError(.resourceExhausted, "noSpace", "\(words); free some on the pool's file system")
    case EFBIG:
        PluginError(.outOfRange, "tooLarge", "\(words); the pool's file system has no files of that size")
    case EACCES, EPERM, EROFS:
        PluginError(
            .permissionDenied, "accessDenied",
            "\(words); the pool must belong to the plugin's account (uid \(getuid())) and be writable")
    default: PluginError(.internal, "inputOutput", words)
    }
}
