import CarpelAPI
import CarpelCore

extension Runtime {
    /// Goes on writing a container's log at its path, from where the file has been moved away. What comes after the
    /// answer is in the new file.
    public func reopenContainerLog(_ request: ReopenContainerLogRequest) async throws -> EmptyResponse {
        let (pod, id) = try await requireContainer(request.containerId)
        try await pod.reopenLog(id)
        return EmptyResponse()
    }
}

extension PodSandbox {
    /// - Throws: `FAILED_PRECONDITION` if the container does not run; no file is made then. Source: CRI,
    ///   ReopenContainerLog.
    func reopenLog(_ id: String) throws {
        let record = try container(id).record
        guard record.isRunning else {
            throw CarpelError(
                .failedPrecondition, "containerNotRunning",
                "the container is \(record.state.rawValue); only the log of a running one can be reopened")
        }
        try openLog(id).reopen()
    }
}
