/// A version of CNI's specification.
struct CNIVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    let major: Int
    let minor: Int
    let patch: Int

    init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// - Parameter text: `1.0.0`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let major = parts[0], let minor = parts[1], let patch = parts[2],
            min(major, minor, patch) >= 0
        else {
            return nil
        }
        self.init(major, minor, patch)
    }

    /// What this plugin speaks. Older ones know no chain.
    static let spoken = [
        CNIVersion(0, 3, 0), CNIVersion(0, 3, 1), CNIVersion(0, 4, 0), CNIVersion(1, 0, 0), CNIVersion(1, 1, 0),
    ]
    /// The first with CHECK, and with `prevResult` for DEL.
    static let withCheck = CNIVersion(0, 4, 0)
    /// The first with GC and STATUS.
    static let withCollection = CNIVersion(1, 1, 0)

    static func < (left: CNIVersion, right: CNIVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    var description: String { "\(major).\(minor).\(patch)" }
}

extension Collection<CNIVersion> {
    /// For messages, the oldest first.
    var list: String { sorted().map(\.description).joined(separator: ", ") }
}
