/// How an image wants to be run: the `config` of its configuration. Source: OCI image spec, config.md, "Properties".
public struct ImageConfig: Codable, Equatable, Sendable {
    /// `user`, `uid`, `user:group` or `uid:gid`; empty is root.
    public var user = ""
    /// `NAME=value`.
    public var env: [String] = []
    public var entrypoint: [String] = []
    public var cmd: [String] = []
    public var workingDir = ""
    /// A name such as `SIGQUIT`, or a number; empty is SIGTERM.
    public var stopSignal = ""
    /// `port/protocol`, `port`.
    public var exposedPorts: [String] = []
    public var volumes: [String] = []
    public var labels: [String: String] = [:]

    public init() {}

    enum CodingKeys: String, CodingKey {
        case user = "User"
        case env = "Env"
        case entrypoint = "Entrypoint"
        case cmd = "Cmd"
        case workingDir = "WorkingDir"
        case stopSignal = "StopSignal"
        case exposedPorts = "ExposedPorts"
        case volumes = "Volumes"
        case labels = "Labels"
    }

    /// A member of Go's `map[string]struct{}`.
    private struct Empty: Codable {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.user, into: &user)
        try values.read(.env, into: &env)
        try values.read(.entrypoint, into: &entrypoint)
        try values.read(.cmd, into: &cmd)
        try values.read(.workingDir, into: &workingDir)
        try values.read(.stopSignal, into: &stopSignal)
        try values.read(.labels, into: &labels)
        var sets: [String: Empty] = [:]
        try values.read(.exposedPorts, into: &sets)
        exposedPorts = sets.keys.sorted()
        sets = [:]
        try values.read(.volumes, into: &sets)
        volumes = sets.keys.sorted()
    }

    public func encode(to encoder: any Encoder) throws {
        func set(_ names: [String]) -> [String: Empty] {
            Dictionary(names.map { ($0, Empty()) }) { first, _ in first }
        }
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(user, forKey: .user)
        try values.encode(env, forKey: .env)
        try values.encode(entrypoint, forKey: .entrypoint)
        try values.encode(cmd, forKey: .cmd)
        try values.encode(workingDir, forKey: .workingDir)
        try values.encode(stopSignal, forKey: .stopSignal)
        try values.encode(set(exposedPorts), forKey: .exposedPorts)
        try values.encode(set(volumes), forKey: .volumes)
        try values.encode(labels, forKey: .labels)
    }
}
