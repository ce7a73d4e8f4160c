import CarpelAPI
import CarpelCore

extension Runtime {
    public func createContainer(_ request: CreateContainerRequest) async throws -> CreateContainerResponse {
        guard let config = request.config else { throw CarpelError.missing("config") }
        let pod = try requirePod(request.podSandboxId)
        try CarpelRuntime.validate(container: config, in: await pod.record.config)
        guard let reference = config.image?.image, !reference.isEmpty else {
            throw CarpelError.missing("config.image.image")
        }
        guard let image = try await images.image(reference) else { throw CarpelError.imageNotFound(reference) }
        let mountImages = try await mountImages(of: config)
        let id = try await detachedFromCaller {
            try await pod.createContainer(config, image: image, mountImages: mountImages)
        }
        return CreateContainerResponse { $0.containerId = id }
    }

    public func startContainer(_ request: StartContainerRequest) async throws -> EmptyResponse {
        let (pod, id) = try await requireContainer(request.containerId)
        try await detachedFromCaller { try await pod.startContainer(id) }
        return EmptyResponse()
    }

    /// A container that is not there is stopped already.
    public func stopContainer(_ request: StopContainerRequest) async throws -> EmptyResponse {
        guard request.timeout >= 0 else {
            throw CarpelError(.invalidArgument, "timeoutInvalid", "timeout must not be negative", field: "timeout")
        }
        guard let (pod, id) = try await findContainer(request.containerId) else { return EmptyResponse() }
        try await detachedFromCaller { try await pod.stopContainer(id, graceSeconds: request.timeout) }
        return EmptyResponse()
    }

    /// A container that is not there is removed already.
    public func removeContainer(_ request: RemoveContainerRequest) async throws -> EmptyResponse {
        guard let (pod, id) = try await findContainer(request.containerId) else { return EmptyResponse() }
        try await detachedFromCaller { try await pod.removeContainer(id) }
        return EmptyResponse()
    }

    public func execSync(_ request: ExecSyncRequest) async throws -> ExecSyncResponse {
        try validate(command: request.cmd, at: "cmd")
        guard request.timeout >= 0 else {
            throw CarpelError(.invalidArgument, "timeoutInvalid", "timeout must not be negative", field: "timeout")
        }
        let (pod, id) = try await requireContainer(request.containerId)
        return try await pod.execSync(id, command: request.cmd, timeoutSeconds: request.timeout)
    }
}
