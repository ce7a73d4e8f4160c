/// Bounds of every wait for a registry.
public struct TransferConfiguration: Codable, Equatable, Sendable {
    public var connectTimeoutSeconds = 10.0
    /// Longest silence in the middle of an answer.
    public var idleTimeoutSeconds = 30.0
    /// Longest time for a manifest or a token, retries not counted.
    public var documentTimeoutSeconds = 60.0
    /// Tries of one request, the first included. Only transient failures are retried.
    public var attempts = 5
    /// Wait before the second try; it doubles with each further one, with some chance in it.
    public var retryDelaySeconds = 0.5

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.connectTimeoutSeconds, into: &connectTimeoutSeconds)
        try values.read(.idleTimeoutSeconds, into: &idleTimeoutSeconds)
        try values.read(.documentTimeoutSeconds, into: &documentTimeoutSeconds)
        try values.read(.attempts, into: &attempts)
        try values.read(.retryDelaySeconds, into: &retryDelaySeconds)
    }
}
