import CarpelAPI
import CarpelClient
import CarpelCore

/// What `carpel run` has started.
struct Launched {
    let podID: String
    let containerID: String
    /// True if the pod was made for the container.
    let ownsPod: Bool
    /// This terminal at the container's own, if it was to be.
    let session: StreamSession?
}

/// Takes a plan from its image to a running container, or leaves nothing behind.
struct PodLaunch: Sendable {
    let client: CarpelClient
    let plan: RunPlan
    let options: RunOptions

    func run() async throws -> Launched {
        try await checkName()
        let imageID = try await image()
        var undo = UndoStack()
        do {
            return try await launch(imageID: imageID, undo: &undo)
        } catch {
            // Told at once: after a signal nobody reads the error.
            for leftover in await undo.unwind() { Console.complain("could not be undone: \(leftover)") }
            throw error
        }
    }

    // Each call is awaited to its end, so that what it made is known and can be undone.

    private func launch(imageID: String, undo: inout UndoStack) async throws -> Launched {
        let container = plan.container(imageID: imageID)
        guard let pod = plan.pod else {
            let podID = try await Inventory.load(from: client).pod(options.pod ?? "").id
            return try await start(container, in: podID, undo: &undo)
        }
        // A terminal must be attached before the start, which the one call for all of it cannot wait for.
        return options.attaches
            ? try await start(pod, with: container, undo: &undo)
            : try await startAsOne(pod, container, undo: &undo)
    }

    /// The daemon finishes or undoes it as a whole, also if this process is killed meanwhile.
    private func startAsOne(
        _ pod: PodSandboxConfig, _ container: ContainerConfig, undo: inout UndoStack
    ) async throws -> Launched {
        let client = client
        let request = RunPodRequest {
            $0.config = pod
            $0.containerConfigs = [container]
        }
        let made = try await shielded { try await client.call(Methods.runPod, request) }
        undo.push("pod \(HumanText.shortID(made.podSandboxId))") {
            try await client.stopAndRemovePod(made.podSandboxId)
        }
        try Task.checkCancellation()
        guard let containerID = made.containerIds.first else {
            throw CarpelError(.internal, "unreadableAnswer", "RunPod has answered without the container's id")
        }
        return Launched(podID: made.podSandboxId, containerID: containerID, ownsPod: true, session: nil)
    }

    private func start(
        _ pod: PodSandboxConfig, with container: ContainerConfig, undo: inout UndoStack
    ) async throws -> Launched {
        let client = client
        let request = RunPodSandboxRequest { $0.config = pod }
        let podID = try await shielded { try await client.call(Methods.runPodSandbox, request) }.podSandboxId
        undo.push("pod \(HumanText.shortID(podID))") { try await client.stopAndRemovePod(podID) }
        try Task.checkCancellation()
        return try await start(container, in: podID, undo: &undo)
    }

    private func start(
        _ container: ContainerConfig, in podID: String, undo: inout UndoStack
    ) async throws -> Launched {
        let client = client
        let request = CreateContainerRequest {
            $0.podSandboxId = podID
            $0.config = container
            $0.sandboxConfig = plan.pod
        }
        let containerID = try await shielded { try await client.call(Methods.createContainer, request) }.containerId
        undo.push("container \(HumanText.shortID(containerID))") { try await client.removeContainer(containerID) }
        try Task.checkCancellation()
        // Before the start, so that nothing is missed.
        let session = options.attaches ? try await attach(to: containerID) : nil
        let start = StartContainerRequest { $0.containerId = containerID }
        _ = try await shielded { try await client.call(Methods.startContainer, start) }
        return Launched(podID: podID, containerID: containerID, ownsPod: plan.pod != nil, session: session)
    }

    private func attach(to containerID: String) async throws -> StreamSession {
        try await client.attach(
            to: containerID, stdin: options.interactive, tty: options.tty,
            detachKeys: try DetachKeys(options.detachKeys))
    }

    /// For CRI two pods with one name differ by their uid; for people they would be one too many.
    private func checkName() async throws {
        guard let wanted = plan.pod?.metadata else { return }
        let pods = try await client.call(Methods.listPodSandbox, ListPodSandboxRequest()).items
        guard let other = pods.first(where: { $0.name == wanted.name && $0.namespace == wanted.namespace }) else {
            return
        }
        throw CarpelError(
            .alreadyExists, "nameTaken",
            "there is a pod \(wanted.name) (\(HumanText.shortID(other.id))): `carpel rm --force \(wanted.name)`, "
                + "or choose another --name")
    }

    /// The image's id, pulled where the policy says so.
    private func image() async throws -> String {
        let spec = ImageSpec { $0.image = plan.image }
        if options.pull != .always {
            let status = try await client.call(Methods.imageStatus, ImageStatusRequest { $0.image = spec })
            if let image = status.image { return image.id }
            guard options.pull != .never else {
                throw CarpelError(
                    .notFound, "imageNotFound",
                    "there is no image \(plan.image) on this node: `carpel image pull \(plan.image)`")
            }
        }
        return try await client.pull(PullImageRequest { $0.image = spec }, quiet: options.quiet)
    }
}

extension CarpelClient {
    func stopPod(_ id: String) async throws {
        _ = try await call(Methods.stopPodSandbox, StopPodSandboxRequest { $0.podSandboxId = id })
    }

    func removePod(_ id: String) async throws {
        _ = try await call(Methods.removePodSandbox, RemovePodSandboxRequest { $0.podSandboxId = id })
    }

    func stopAndRemovePod(_ id: String) async throws {
        try await stopPod(id)
        try await removePod(id)
    }

    /// - Parameter timeout: seconds between the stop signal and SIGKILL.
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
}
