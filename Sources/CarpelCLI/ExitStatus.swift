import CarpelCore

/// The exit codes of `carpel`, those of `exec` and `run` aside, which are the command's own.
enum ExitStatus: Int32, CaseIterable {
    case success = 0
    case failure = 1
    case usage = 2
    case notFound = 3
    case daemonUnavailable = 4
    case permissionDenied = 5
    case wrongState = 6
    case timedOut = 7
    /// Carpel's own failure, where every other code is the command's.
    case ownFailure = 125

    /// The exit code that a failed call has.
    init(_ error: CarpelError) {
        switch (error.code, error.reason) {
        case (.unavailable, "daemonNotRunning"), (.unavailable, "connectionClosed"), (.unavailable, "connectFailed"):
            self = .daemonUnavailable
        case (.invalidArgument, _), (.outOfRange, _): self = .usage
        case (.notFound, _): self = .notFound
        case (.permissionDenied, _), (.unauthenticated, _): self = .permissionDenied
        case (.alreadyExists, _), (.failedPrecondition, _), (.aborted, _): self = .wrongState
        case (.deadlineExceeded, _): self = .timedOut
        default: self = .failure
        }
    }

    private var meaning: String {
        switch self {
        case .success: "it worked"
        case .failure: "it failed; a check of `doctor` or `status` failed"
        case .usage: "wrong usage or an invalid value"
        case .notFound: "no such pod, container or image"
        case .daemonUnavailable: "the daemon does not answer"
        case .permissionDenied: "not allowed, here or at a registry"
        case .wrongState: "it exists already, or its state does not allow this"
        case .timedOut: "it took too long"
        case .ownFailure: "`exec` and `run` failed themselves; their other codes are the command's"
        }
    }

    /// A line for each code, for `--help`.
    static var table: String {
        allCases.map { status in
            let code = String(status.rawValue)
            return "  \(code)\(String(repeating: " ", count: 5 - code.count))\(status.meaning)"
        }.joined(separator: "\n")
    }
}

/// Runs `body`, whose failures end `carpel` with 125, since all other codes are the command's own; a command that is not
/// executable or not there ends it with 126 or 127, as a shell would.
func failingAsOwn<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as CarpelError {
        let codes: [String: Int32] = ["commandNotExecutable": 126, "commandNotFound": 127]
        throw CommandFailure(error: error, status: codes[error.reason] ?? ExitStatus.ownFailure.rawValue)
    }
}
