import CarpelAPI
import CarpelCore

extension Runtime {
    /// Ends the pod's containers and machine. A pod that is not there is stopped already.
    public func stopPodSandbox(_ request: StopPodSandboxRequest) async throws -> EmptyResponse {
        guard let pod = try findPod(request.podSandboxId) else { return EmptyResponse() }
        try await detachedFromCaller { try await pod.stop() }
        if case .gone = await pod.state { forget(pod.id) }
        return EmptyResponse()
    }

    /// Stops the pod if need be and forgets it. A pod that is not there is removed already.
    public func removePodSandbox(_ request: RemovePodSandboxRequest) async throws -> EmptyResponse {
        guard let pod = try findPod(request.podSandboxId) else { return EmptyResponse() }
        try await detachedFromCaller { try await pod.remove() }
        forget(pod.id)
        return EmptyResponse()
    }
}
