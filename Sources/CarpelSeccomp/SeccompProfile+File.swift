import CarpelCore
import Foundation
import Glibc

extension SeccompProfile {
    /// No profile that a person wrote comes near this.
    private static let largestFile = 1 << 20

    /// The profile in a file of the node: CRI's `localhostRef`.
    ///
    /// - Throws: `.notFound`/`seccompProfileNotFound`, `.failedPrecondition`/`seccompProfileUnreadable`,
    ///   `.invalidArgument`/`seccompProfileInvalid`.
    package init(contentsOf path: String) throws {
        let bytes = try Self.read(path)
        do {
            self = try JSONDecoder().decode(SeccompProfile.self, from: bytes)
        } catch let error as DecodingError {
            throw Self.invalid("\(path) is no seccomp profile: \(error.account)")
        } catch {
            throw Self.invalid("\(path) is no seccomp profile: \(error)")
        }
    }

    static let field = "config.linux.securityContext.seccomp.localhostRef"

    static func invalid(_ message: String) -> CarpelError {
        CarpelError(.invalidArgument, "seccompProfileInvalid", message, field: field)
    }

    /// Regular files alone: the read of a pipe might never end.
    private static func read(_ path: String) throws -> Data {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let missing = errno == ENOENT || errno == ENOTDIR
            throw CarpelError(
                missing ? .notFound : .failedPrecondition,
                missing ? "seccompProfileNotFound" : "seccompProfileUnreadable",
                "the seccomp profile \(path) cannot be read: \(String(cString: strerror(errno))); put it on the node",
                field: field)
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= largestFile else {
            throw CarpelError(
                .failedPrecondition, "seccompProfileUnreadable", "\(path) is not a file of at most 1 MiB", field: field)
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw CarpelError(.failedPrecondition, "seccompProfileUnreadable", "\(path): \(error)", field: field)
        }
    }
}

extension DecodingError {
    /// The place and what is wrong with it, in one line.
    fileprivate var account: String {
        let context: Context
        switch self {
        case .dataCorrupted(let found), .typeMismatch(_, let found), .valueNotFound(_, let found),
            .keyNotFound(_, let found):
            context = found
        @unknown default: return "\(self)"
        }
        let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return "\(place.isEmpty ? "at its top" : "at \(place)"): \(context.debugDescription)"
    }
}
