import CarpelAPI
import CarpelCore

extension PodSandbox {
    /// Refuses what is no request for all running containers of this pod, and pods that cannot be saved whole.
    func checkCheckpoint(of containerIDs: [String]) throws {
        guard !containerIDs.isEmpty else { throw CarpelError.missing("containerIds") }
        guard Set(containerIDs).count == containerIDs.count else {
            throw CarpelError.invalid("containerIds", "a container is named twice", reason: "containerNamedTwice")
        }
        for (index, id) in containerIDs.enumerated() {
            guard let container = containers[id] else {
                throw CarpelError(
                    .notFound, "containerNotFound", "the pod has no container \"\(id)\"; give the whole id",
                    field: "containerIds[\(index)]")
            }
            guard container.record.isRunning else {
                throw CarpelError(
                    .failedPrecondition, "containerNotRunning",
                    "the container \(id.prefix(13)) does not run, and has nothing to save",
                    field: "containerIds[\(index)]")
            }
        }
        for container in containers.values.map(\.record) where !containerIDs.contains(container.id) {
            switch container.phase {
            case .running:
                throw CarpelError(
                    .failedPrecondition, "containersIncomplete",
                    "the container \(container.id.prefix(13)) runs too; a pod's machine is saved with all of them",
                    field: "containerIds")
            case .creating, .starting:
                throw CarpelError(
                    .aborted, "podBusy", "a container of the pod is being made or started; try again after it")
            case .created, .exited, .removing: break
            }
        }
        try checkCanBeSaved()
    }

    private func checkCanBeSaved() throws {
        for container in containers.values.map(\.record) where container.config.mounts.contains(where: isOfNode) {
            throw CarpelError(
                .failedPrecondition, "hostPathsNotSaved",
                "the container \(container.id.prefix(13)) has files of the node mounted, which a checkpoint cannot "
                    + "hold; use volumes of the pod in their place", field: "podSandboxId")
        }
        if let volume = record.volumes.first {
            throw CarpelError(
                .failedPrecondition, "pluginVolumesNotSaved",
                "the volume \(volume.name) is \(volume.plugin)'s, and not a checkpoint's to copy; make a snapshot of it "
                    + "and a pod without it", field: "podSandboxId")
        }
        // Those of the start are there again at the same places; what was plugged in later is not.
        let asked = try networkRequests(
            of: record.config, podID: id, plugins: environment.configuration.networks)
        guard asked.map(\.request.interfaceName) == record.networks.map(\.request.interfaceName) else {
            throw CarpelError(
                .failedPrecondition, "networksChanged",
                "the pod is on other networks than it was started with; detach those that were attached later",
                field: "podSandboxId")
        }
    }

    private func isOfNode(_ mount: Mount) -> Bool { !mount.hostPath.isEmpty }
}
