import CarpelAPI
import CarpelCore

extension Runtime {
    /// Refused: a container's processes live in the kernel of its pod's machine, with which they can only be saved whole.
    public func checkpointContainer(_ request: CheckpointContainerRequest) async throws -> EmptyResponse {
        let (pod, _) = try await requireContainer(request.containerId)
        throw CarpelError(
            .unimplemented, "containerCheckpointUnsupported",
            "a container cannot be saved apart from its pod's machine; save the pod \(pod.id.prefix(13)) with CheckpointPod",
            field: "containerId")
    }
}
