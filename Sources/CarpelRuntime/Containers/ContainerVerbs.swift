import CarpelAPI
import CarpelCore

extension Runtime {
    public func createContainer(_ request: CreateContainerRequest) async throws -> CreateContainerResponse {
        guard let config = request.config else { throw CarpelError.missing("config") }
        let pod = try requirePod(request.podSandboxId)
        let container = try await prepare(config, in: await pod.record.config)
        let id = try await detachedFromCaller { try await pod.createContainer(container) }
        return CreateContainerResponse { $0.containerId = id }
    }

    /// Checks a container's configuration and finds the images that it stands on.
    func prepare(_ config: ContainerConfig, in sandbox: PodSandboxConfig) async throws -> PreparedContainer {
        try CarpelRuntime.validate(container: config, in: sandbox)
        guard let metadata = config.metadata else { throw CarpelError.missing("config.metadata") }
        guard let reference = config.image?.image, !reference.isEmpty else {
            throw CarpelError.missing("config.image.image")
        }
        guard let image = try await images.image(reference) else { throw CarpelError.imageNotFound(reference) }
        return PreparedContainer(
            name: ContainerRecord.name(of: metadata), config: config, image: image,
            mountImages: try await mountImages(of: config))
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
