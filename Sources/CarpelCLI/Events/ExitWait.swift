import CarpelAPI
import CarpelClient
import CarpelCore

extension CarpelClient {
    /// Waits until a container has exited, also over a restart of the daemon.
    ///
    /// - Returns: the status that it exited with.
    /// - Throws: `NOT_FOUND` if there is no such container, or it is removed before it has exited;
    ///   `FAILED_PRECONDITION`, reason `podNotReady`, if its pod has ended before it was started.
    func exit(of container: String) async throws -> ContainerStatus {
        try await overRestarts { connected in try await watchedExit(of: container, connected) }
    }

    /// - Parameter connected: called when the daemon answers.
    /// - Returns: nil if changes were missed, so that another watch has to begin.
    private func watchedExit(of container: String, _ connected: () -> Void) async throws -> ContainerStatus? {
        var wait = ExitWait(container: container)
        for try await change in try await subscribe(Methods.watchNode, WatchNodeRequest()) {
            connected()
            guard change.missed == 0 else { return nil }
            if let status = try wait.exit(after: change.item) { return status }
        }
        return nil
    }
}

/// How long a daemon may be away, as it is while it is upgraded.
private let restartTimeout = Duration.seconds(30)

/// Repeats `attempt` until it gives a value, and waits for a daemon that goes away meanwhile and comes back.
///
/// - Parameter attempt: gets what it is to call when the daemon answers.
/// - Throws: `UNAVAILABLE` if the daemon was not there in the first place, or does not come back.
func overRestarts<Value>(_ attempt: (_ connected: () -> Void) async throws -> Value?) async throws -> Value {
    var deadline: ContinuousClock.Instant?
    while true {
        do {
            if let value = try await attempt({ deadline = nil }) { return value }
        } catch let error as CarpelError where ExitStatus(error) == .daemonUnavailable {
            guard error.reason == "connectionClosed" || deadline != nil else { throw error }
            deadline = deadline ?? .now + restartTimeout
            guard let deadline, .now < deadline else { throw error }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

/// Sees a container's exit among the changes of a node, from their beginning.
struct ExitWait {
    let container: String
    private var status: ContainerStatus?
    private var podID = ""
    private var readyPods: Set<String> = []
    private var knowsAll = false

    init(container: String) { self.container = container }

    /// - Returns: the status, once the container has exited.
    mutating func exit(after change: WatchNodeResponse) throws -> ContainerStatus? {
        switch (change.kind, change.type) {
        case (_, .BOOKMARK):
            knowsAll = true
        case (.CONTAINER, .REMOVED) where change.id == container:
            throw CarpelError(
                .notFound, "containerNotFound", "the container \(HumanText.shortID(container)) was removed")
        case (.CONTAINER, _) where change.id == container:
            (status, podID) = (change.container, change.podSandboxId)
        case (.POD, .ADDED), (.POD, .MODIFIED):
            if change.pod?.state == .SANDBOX_READY { readyPods.insert(change.id) } else { readyPods.remove(change.id) }
        default:
            return nil
        }
        guard knowsAll else { return nil }
        guard let status else {
            throw CarpelError(.notFound, "containerNotFound", "there is no container \(HumanText.shortID(container))")
        }
        switch status.state {
        case .CONTAINER_EXITED, .CONTAINER_UNKNOWN: return status
        case .CONTAINER_CREATED where !readyPods.contains(podID):
            throw CarpelError(
                .failedPrecondition, "podNotReady",
                "the container \(HumanText.shortID(container)) was never started, and its pod has ended")
        default: return nil
        }
    }
}
