import CarpelCore

/// What an image runs on, in Go's words. Source: OCI image spec, image-index.md, `platform`.
public struct Platform: Codable, Hashable, Sendable, CustomStringConvertible {
    public var architecture: String
    public var os: String
    public var variant: String?

    public init(architecture: String, os: String, variant: String? = nil) {
        self.architecture = architecture
        self.os = os
        self.variant = variant
    }

    /// What this node's machines run.
    public static var node: Platform {
        #if arch(arm64)
            Platform(architecture: "arm64", os: "linux", variant: "v8")
        #else
            Platform(architecture: "amd64", os: "linux")
        #endif
    }

    public var description: String { [os, architecture, variant].compactMap(\.self).joined(separator: "/") }

    /// How well an image for `self` runs on `node`, 0 best; nil if it does not.
    ///
    /// amd64's variants are levels of instruction sets: only the first runs on every machine.
    func rank(on node: Platform) -> Int? {
        guard os == node.os, architecture == node.architecture else { return nil }
        switch (architecture, variant ?? "") {
        case (_, node.variant ?? ""): return 0
        case ("arm64", ""), ("arm64", "v8"), ("amd64", "v1"): return 1
        case (_, ""): return 2
        default: return nil
        }
    }

    static func unavailable(_ image: String, on node: Platform, there: [Platform]) -> CarpelError {
        let list = there.isEmpty ? "none" : there.map(\.description).joined(separator: ", ")
        return CarpelError(
            .failedPrecondition, "platformUnavailable",
            "\(image) has no image for \(node); it has: \(list). Use an image that is built for \(node)")
    }
}
