import CarpelCore
import CarpelGuestProtocol

extension CarpelError {
    static func podNotFound(_ id: String) -> CarpelError {
        CarpelError(
            .notFound, "podNotFound", "no pod has the id \"\(id)\"; ListPodSandbox shows them all",
            field: "podSandboxId")
    }

    static func containerNotFound(_ id: String) -> CarpelError {
        CarpelError(
            .notFound, "containerNotFound", "no container has the id \"\(id)\"; ListContainers shows them all",
            field: "containerId")
    }

    static func imageNotFound(_ image: String, field: String = "config.image.image") -> CarpelError {
        CarpelError(
            .notFound, "imageNotFound", "the image \"\(image)\" is not on this node; pull it with PullImage first",
            field: field)
    }

    static func missing(_ field: String) -> CarpelError {
        CarpelError(.invalidArgument, "fieldMissing", "\(field) is required", field: field)
    }
}

extension GuestFailure {
    /// The failure in the socket's words.
    func error(during activity: String) -> CarpelError {
        let code: CarpelError.Code =
            switch reason {
            case .alreadyExists: .alreadyExists
            case .notFound: .notFound
            case .invalidState: .failedPrecondition
            case .invalidArgument, .commandNotFound, .commandNotExecutable, .userNotFound, .groupNotFound,
                .workingDirectoryInvalid, .sysctlFailed:
                .invalidArgument
            case .noSpace, .outOfMemory: .resourceExhausted
            case .connectionRefused, .connectionReset: .unavailable
            case .busy, .memoryInUse: .failedPrecondition
            case .unknownRequest: .unimplemented
            case .diskMissing, .mountFailed, .cgroupFailed, .system: .internal
            }
        return CarpelError(code, reason.rawValue, "\(activity): \(message)")
    }
}

/// Translates what a guest or a machine threw while `activity` was under way.
@discardableResult
func translated<Value>(_ activity: String, _ operation: () async throws -> Value) async throws -> Value {
    do {
        return try await operation()
    } catch let failure as GuestFailure {
        throw failure.error(during: activity)
    } catch {
        throw CarpelError.wrapping(error, during: activity)
    }
}
