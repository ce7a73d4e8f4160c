import CarpelAPI
import CarpelClient
import Foundation
import TestSupport

func podConfig(_ name: String = "web", _ set: (inout PodSandboxConfig) -> Void = { _ in }) -> PodSandboxConfig {
    var config = PodSandboxConfig {
        $0.metadata = PodSandboxMetadata {
            $0.name = name
            $0.namespace = "default"
            $0.uid = "uid-\(name)"
        }
        $0.labels = ["app": name]
    }
    set(&config)
    return config
}

func containerConfig(
    _ name: String, _ image: String, _ command: [String], _ set: (inout ContainerConfig) -> Void = { _ in }
) -> ContainerConfig {
    var config = ContainerConfig {
        $0.metadata = ContainerMetadata { $0.name = name }
        $0.image = ImageSpec { $0.image = image }
        $0.command = command
    }
    set(&config)
    return config
}

extension CarpelClient {
    func pull(_ image: String) async throws {
        _ = try await call(Methods.pullImage, PullImageRequest { $0.image = ImageSpec { $0.image = image } })
    }

    func pods() async throws -> [PodSandboxItem] {
        try await call(Methods.listPodSandbox, ListPodSandboxRequest()).items
    }

    func containers() async throws -> [ContainerItem] {
        try await call(Methods.listContainers, ListContainersRequest()).containers
    }

    func images() async throws -> [ImageItem] {
        try await call(Methods.listImages, ListImagesRequest()).images
    }

    func runPod(_ config: PodSandboxConfig = podConfig()) async throws -> String {
        try await call(Methods.runPodSandbox, RunPodSandboxRequest { $0.config = config }).podSandboxId
    }

    func runPod(_ config: PodSandboxConfig = podConfig(), _ containers: [ContainerConfig]) async throws
        -> RunPodResponse
    {
        let request = RunPodRequest {
            $0.config = config
            $0.containerConfigs = containers
        }
        return try await call(Methods.runPod, request)
    }

    func createContainer(in pod: String, _ config: ContainerConfig) async throws -> String {
        let request = CreateContainerRequest {
            $0.podSandboxId = pod
            $0.config = config
        }
        return try await call(Methods.createContainer, request).containerId
    }

    func startContainer(_ id: String) async throws {
        _ = try await call(Methods.startContainer, StartContainerRequest { $0.containerId = id })
    }

    func runContainer(in pod: String, _ config: ContainerConfig) async throws -> String {
        let id = try await createContainer(in: pod, config)
        try await startContainer(id)
        return id
    }

    func exec(_ container: String, _ command: String..., timeout: Int64 = 20) async throws -> (
        code: Int32, out: String, err: String
    ) {
        let request = ExecSyncRequest {
            $0.containerId = container
            $0.cmd = command
            $0.timeout = timeout
        }
        let answer = try await call(Methods.execSync, request)
        return (
            answer.exitCode, String(decoding: answer.stdout, as: UTF8.self),
            String(decoding: answer.stderr, as: UTF8.self)
        )
    }

    func podState(_ id: String) async throws -> PodSandboxState? { try await podStatus(id).status?.state }

    func importImage(_ path: String, as name: String) async throws {
        let request = ImportImageRequest {
            $0.path = path
            $0.name = name
        }
        _ = try await call(Methods.importImage, request)
    }

    func removeImage(_ image: String) async throws {
        _ = try await call(Methods.removeImage, RemoveImageRequest { $0.image = ImageSpec { $0.image = image } })
    }

    func podStatus(_ id: String) async throws -> PodSandboxStatusResponse {
        let request = PodSandboxStatusRequest {
            $0.podSandboxId = id
            $0.verbose = true
        }
        return try await call(Methods.podSandboxStatus, request)
    }

    func containerStatus(_ id: String) async throws -> ContainerStatus {
        let answer = try await call(Methods.containerStatus, ContainerStatusRequest { $0.containerId = id })
        return answer.status ?? ContainerStatus()
    }

    func stopContainer(_ id: String, timeout: Int64) async throws {
        let request = StopContainerRequest {
            $0.containerId = id
            $0.timeout = timeout
        }
        _ = try await call(Methods.stopContainer, request)
    }

    func removeContainer(_ id: String) async throws {
        _ = try await call(Methods.removeContainer, RemoveContainerRequest { $0.containerId = id })
    }

    func stopPod(_ id: String) async throws {
        _ = try await call(Methods.stopPodSandbox, StopPodSandboxRequest { $0.podSandboxId = id })
    }

    func removePod(_ id: String) async throws {
        _ = try await call(Methods.removePodSandbox, RemovePodSandboxRequest { $0.podSandboxId = id })
    }

    /// Waits until the container has exited.
    func exit(of container: String) async throws -> ContainerStatus {
        try await eventually("the container exits") {
            try await self.containerStatus(container).state == .CONTAINER_EXITED
        }
        return try await containerStatus(container)
    }
}
