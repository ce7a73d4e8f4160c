/// The one error of Carpel's host side.
///
/// It is made where the cause is known and travels unchanged to the client: `code` as `data.code`,
/// `reason` as `data.reason`, `message` as the JSON-RPC message.
public struct CarpelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// gRPC's canonical code names, which CRI's clients know.
    /// Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
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
        case unauthenticated = "UNAUTHENTICATED"
    }

    public let code: Code
    /// A stable word in lower camel case that programs may compare, such as `imageNotFound`.
    public let reason: String
    /// What happened and what to do next, for people.
    public let message: String
    /// The path of the request's field that is at fault, such as `config.linux.sysctls`, if it is one field.
    public let field: String?

    public init(_ code: Code, _ reason: String, _ message: String, field: String? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.field = field
    }

    public var description: String { "\(message) (\(code.rawValue), \(reason))" }

    /// The same error with what was being done in front of its message.
    public func during(_ activity: String) -> CarpelError {
        CarpelError(code, reason, "\(activity): \(message)", field: field)
    }

    /// Any error as a `CarpelError`: itself, a cancellation, or `INTERNAL` with the cause's own words.
    public static func wrapping(_ error: any Error, during activity: String) -> CarpelError {
        switch error {
        case let error as CarpelError: error.during(activity)
        case is CancellationError: CarpelError(.cancelled, "cancelled", "\(activity): cancelled by the caller")
        default: CarpelError(.internal, "unexpected", "\(activity): \(error)")
        }
    }
}
