import CarpelCore
import Glibc

@testable import CarpelImages

/// Unpacks `tar` (or what `blob` makes of it) into a disk in `scratch`, on a thread with the given locale.
func unpack(
    _ tar: TarBuilder, blob: [UInt8]? = nil, diffID: Digest? = nil, in scratch: Scratch,
    limits: ImageLimits = ImageLimits(),
    locale: String = "C"
) throws -> String {
    let threadLocale = newlocale(1 << LC_CTYPE, locale, nil)
    let previous = uselocale(threadLocale)
    defer {
        uselocale(previous)
        freelocale(threadLocale)
    }
    let source = try scratch.write("layer", blob ?? tar.finished)
    let path = "\(scratch.path)/disk.erofs"
    let disk = try File(path, O_RDWR | O_CREAT | O_TRUNC)
    let unpacker = LayerUnpacker(limits: limits) { _ in }
    try unpacker.unpack(try File(source, O_RDONLY), diffID: diffID ?? Digest(of: tar.finished), to: disk)
    return path
}

/// The error that `body` throws, with its code and reason.
func failure(_ body: () async throws -> some Any) async -> CarpelError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? CarpelError ?? CarpelError(.unknown, "other", "\(error)")
    }
}
