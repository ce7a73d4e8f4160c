/// One line of `carpel doctor`.
public struct MachineCheck: Hashable, Codable, Sendable {
    public enum Level: String, Codable, Sendable {
        case ok, warn, fail
    }

    /// A stable word.
    public let name: String
    public let level: Level
    /// What was found.
    public let what: String
    /// What to do about it; nil if there is nothing to do.
    public let fix: String?

    public init(_ name: String, _ level: Level, _ what: String, fix: String? = nil) {
        self.name = name
        self.level = level
        self.what = what
        self.fix = fix
    }
}
