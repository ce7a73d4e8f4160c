/// Why the host cannot do something; the daemon gets it as a JSON-RPC error.
struct HostFailure: Error, Equatable {
    /// gRPC's canonical codes, as far as a host needs them.
    enum Code: String {
        case cancelled = "CANCELLED"
        case deadlineExceeded = "DEADLINE_EXCEEDED"
        case failedPrecondition = "FAILED_PRECONDITION"
        case `internal` = "INTERNAL"
        case invalidArgument = "INVALID_ARGUMENT"
        case notFound = "NOT_FOUND"
        case permissionDenied = "PERMISSION_DENIED"
        case resourceExhausted = "RESOURCE_EXHAUSTED"
    }

    let code: Code
    let reason: String
    let message: String

    init(_ code: Code, _ reason: String, _ message: String) {
        self.code = code
        self.reason = reason
        self.message = message
    }
}
