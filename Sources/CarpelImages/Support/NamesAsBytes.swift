import CarpelCore
import Glibc

/// Runs `body` on this thread with the locale "C", in which libarchive leaves names as the bytes they are.
///
/// In a UTF-8 locale it composes decomposed characters: another name than the layer's.
func withNamesAsBytes(_ body: () throws -> Void) throws {
    guard let locale = newlocale(1 << LC_CTYPE, "C", nil) else { throw CarpelError.system(errno, "newlocale C") }
    let previous = uselocale(locale)
    defer {
        uselocale(previous)
        freelocale(locale)
    }
    try body()
}
