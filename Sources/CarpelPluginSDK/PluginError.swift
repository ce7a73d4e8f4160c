/// What a verb answers that could not be done.
public struct PluginError: Error, Codable, Sendable, Hashable, CustomStringConvertible {
    /// gRPC's canonical codes, as far as they mean something here.
    public enum Code: String, Codable, Sendable, CaseIterable {
        case cancelled = "CANCELLED"
        case unknown = "UNKNOWN"
        case invalidArgument = "INVALID_ARGUMENT"
        case deadlineExceeded = "DEADLINE_EXCEEDED"
        case notFound = "NOT_FOUND"
        case alreadyExists = "ALREADY_EXISTS"
        case permissionDenied = "PERMISSION_DENIED"
        case resourceExhausted = "RESOURCE_EXHAUSTED"
        case failedPrecondition = "FAILED_PRECONDITION"
        case aborted = "ABORTED"
        case outOfRange = "OUT_OF_RANGE"
        case unimplemented = "UNIMPLEMENTED"
        case `internal` = "INTERNAL"
        case unavailable = "UNAVAILABLE"
        case dataLoss = "DATA_LOSS"
    }

    public let code: Code
    /// A stable word in lowerCamelCase that programs may compare: `addressPoolEmpty`.
    public let reason: String
    /// For people: what went wrong and what to do next.
    public let message: String

    public init(_ code: Code, _ reason: String, _ message: String) {
        self.code = code
        self.reason = reason
        self.message = message
    }

    public var description: String { "\(message) (\(code.rawValue), \(reason))" }
}
