import CarpelCore

/// A port of this machine and the pod's port that it stands for: `[HOST:]PORT`.
struct ForwardedPort: Equatable, Sendable {
    /// 0 for any that is free.
    let host: UInt16
    let pod: UInt16

    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let pod = parts.last.flatMap({ UInt16($0) }), pod > 0,
            let host = parts[0].isEmpty ? 0 : UInt16(parts[0])
        else {
            throw CarpelError(
                .invalidArgument, "invalidOption",
                "\"\(text)\" is no port to forward: give [HOST:]PORT, such as 8080:80, 80, or :80 for any free one")
        }
        self.host = host
        self.pod = pod
    }
}
