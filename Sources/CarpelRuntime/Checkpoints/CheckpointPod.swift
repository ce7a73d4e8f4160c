import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import Foundation

extension Runtime {
    /// Saves a pod whole, memory, disks and devices, into a folder of the caller's, and lets it go on.
    ///
    /// The caller gives it up by closing the connection, and the option `timeoutSeconds` does after that time.
    public func checkpointPod(_ request: CheckpointPodRequest) async throws -> EmptyResponse {
        let timeout = try checkpointTimeout(request.options)
        let pod = try requirePod(request.podSandboxId)
        let guest = try await guestDigests()
        try await pod.checkpoint(request.containerIds, to: request.outputPath, guest: guest, within: timeout)
        return EmptyResponse()
    }

    /// The digests of the kernel and the initramfs that this node's machines boot.
    func guestDigests() async throws -> (kernel: String, initramfs: String) {
        let guest = environment.configuration.guest
        return try await onBlockingThread { flag in
            func digest(_ path: String) throws -> String {
                let file = FileDescriptorBox(open(path, O_RDONLY | O_CLOEXEC))
                guard file.number >= 0 else {
                    throw CarpelError(.failedPrecondition, "kernelMissing", "\(path) cannot be opened")
                }
                return try SparseFile.digest(file, flag).digest
            }
            return (try digest(guest.kernel), try digest(guest.initramfs))
        }
    }
}

/// What the caller of a checkpoint or restore may set: `timeoutSeconds`, ten minutes without it.
func checkpointTimeout(_ options: [String: String]) throws -> Duration {
    if let unknown = options.keys.filter({ $0 != "timeoutSeconds" }).min() {
        throw CarpelError.invalid(
            "options[\(unknown)]", "there is no such option, only timeoutSeconds", reason: "optionUnknown")
    }
    guard let text = options["timeoutSeconds"] else { return .seconds(600) }
    guard let seconds = Int(text), (1...86400).contains(seconds) else {
        throw CarpelError.invalid("options[timeoutSeconds]", "\"\(text)\" is no number of seconds from 1 to 86400")
    }
    return .seconds(seconds)
}

extension PodSandbox {
    func checkpoint(
        _ containerIDs: [String], to path: String, guest: (kernel: String, initramfs: String), within timeout: Duration
    ) async throws {
        let running = try running()
        guard checkpointing == nil else {
            throw CarpelError(.aborted, "podBusy", "a checkpoint of the pod is under way; try again after it")
        }
        try checkCheckpoint(of: containerIDs)
        let folder = try CheckpointFolder(path, field: "outputPath")
        try folder.requireEmpty()
        let task = Task {
            defer { checkpointing = nil }
            try await withDeadline(timeout, reason: "checkpointTimeout", "the checkpoint of the pod") {
                try await self.serialisingDevices {
                    try await self.saveOrUndo(running, Set(containerIDs), in: folder, guest: guest)
                }
            }
        }
        checkpointing = task
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func saveOrUndo(
        _ running: RunningPod, _ selected: Set<String>, in folder: CheckpointFolder,
        guest: (kernel: String, initramfs: String)
    ) async throws {
        // A daemon that dies leaves word to the next one.
        let note = environment.paths.checkpointNote(id)
        try Data(folder.path.utf8).write(to: URL(fileURLWithPath: note), options: .atomic)
        defer { unlink(note) }
        do {
            try await save(running, selected, in: folder, guest: guest)
        } catch {
            do { try folder.removeCheckpoint() } catch {
                logger.error("cannot remove what a checkpoint has left", metadata: ["cause": "\(error)"])
            }
            throw CarpelError.wrapping(
                error, during: "make a checkpoint of the pod \(record.config.metadata?.name ?? id)")
        }
    }

    private func save(
        _ running: RunningPod, _ selected: Set<String>, in folder: CheckpointFolder,
        guest: (kernel: String, initramfs: String)
    ) async throws {
        try Task.checkCancellation()
        try await releaseSharedFolder(of: running)
        let state = try folder.create(CheckpointFolder.state)
        let disks = try checkpointedDisks.map { disk in
            (name: disk.name, file: try folder.create(disk.name), source: disk.path)
        }
        let frozen = ContinuousClock.now
        let positions: [String: UInt64]
        do {
            positions = try await freeze(selected, in: running)
            try await running.machine.pause()
            try await running.machine.saveState(to: state.number)
            for disk in disks { try await copy(disk.source, to: disk.file) }
        } catch {
            try await shielded { try await self.goOn(running) }
            throw error
        }
        try await shielded { try await self.goOn(running) }
        let paused = ContinuousClock.now - frozen
        logger.info("a checkpoint held the pod up", metadata: ["for": "\(paused)"])
        var files = [try await file(CheckpointFolder.state, state)]
        for disk in disks { files.append(try await file(disk.name, disk.file)) }
        let manifest = try await manifest(
            of: running, selected, positions: positions, paused: paused, guest: guest, files: files)
        try Task.checkCancellation()
        try folder.finish(manifest)
    }

    private func freeze(_ selected: Set<String>, in running: RunningPod) async throws -> [String: UInt64] {
        let answer = try await translated("freeze the containers") {
            try await running.guest.ask(.freezeContainers(ids: selected.sorted()))
        }
        guard case .frozen(let positions) = answer else {
            throw CarpelError(.internal, "unexpectedAnswer", "the agent did not say that the containers are frozen")
        }
        return positions
    }

    /// The pod runs again: behind a checkpoint, however that ended.
    private func goOn(_ running: RunningPod) async throws {
        try await running.machine.resume()
        try await translated("thaw the containers") {
            try await running.guest.ask(.thawContainers(clock: UInt64(now())))
        }
    }

    private nonisolated func copy(_ path: String, to target: FileDescriptorBox) async throws {
        try await onBlockingThread { flag in
            let source = FileDescriptorBox(open(path, O_RDONLY | O_CLOEXEC))
            guard source.number >= 0 else {
                throw CarpelError(.internal, "diskMissing", "\(path): \(String(cString: strerror(errno)))")
            }
            try SparseFile.copy(source, to: target, flag)
        }
    }

    private nonisolated func file(_ name: String, _ file: FileDescriptorBox) async throws -> CheckpointManifest.File {
        try await onBlockingThread { flag in
            let (bytes, digest) = try SparseFile.digest(file, flag)
            guard fsync(file.number) == 0 else {
                throw CarpelError(
                    .resourceExhausted, "noSpace", "\(name) cannot be kept: \(String(cString: strerror(errno)))")
            }
            return CheckpointManifest.File(name: name, bytes: bytes, digest: digest)
        }
    }

    private func manifest(
        of running: RunningPod, _ selected: Set<String>, positions: [String: UInt64], paused: Duration,
        guest: (kernel: String, initramfs: String), files: [CheckpointManifest.File]
    ) async throws -> CheckpointManifest {
        let records = containers.values.map(\.record).sorted { $0.createdAt < $1.createdAt }
        var images: Set<CheckpointManifest.ImageName> = []
        for record in records {
            images.insert(.init(id: record.imageID, reference: record.config.image?.image ?? record.imageReference))
            for reference in record.config.mounts.compactMap({ $0.image?.image }) where !reference.isEmpty {
                guard let image = try await environment.images.image(reference) else { continue }
                images.insert(.init(id: image.id, reference: reference))
            }
        }
        return CheckpointManifest(
            version: CheckpointManifest.currentVersion, carpel: CarpelVersion.runtime, createdAt: now(),
            pausedNanoseconds: Int64(paused / .nanoseconds(1)), kernel: guest.kernel, initramfs: guest.initramfs,
            machine: try await running.machine.shape(), virtualCPUs: record.virtualCPUs,
            memoryBytes: record.memoryBytes, pod: record.config, podResources: record.resources,
            networks: record.networks.compactMap { network in
                network.attachment.map {
                    .init(
                        interface: network.request.interfaceName, hardwareAddress: $0.macAddress, mtu: Int($0.mtu))
                }
            },
            containers: records.filter { selected.contains($0.id) }.map {
                .init(
                    id: $0.id, config: $0.config, resources: $0.resources, imageID: $0.imageID, layers: $0.layers,
                    spec: $0.spec, nextOutput: positions[$0.id] ?? 0)
            },
            others: records.map(\.id).filter { !selected.contains($0) }, images: images.sorted { $0.id < $1.id },
            files: files)
    }

    /// The pod's own disks: what they are called in a checkpoint, and where they are.
    var checkpointedDisks: [(name: String, path: String)] {
        let volumes = (record.config.carpel?.volumes ?? []).enumerated().filter { $1.emptyDir?.needsDisk ?? false }
        return [(CheckpointFolder.scratch, environment.paths.scratchDisk(id))]
            + volumes.map { (CheckpointFolder.volume($0.offset), environment.paths.emptyVolume(id, $0.offset)) }
    }

    /// What a daemon that died in the middle of a checkpoint has left. The machine itself is resumed by its recovery.
    func removeUnfinishedCheckpoint() throws {
        let note = environment.paths.checkpointNote(id)
        guard let path = try? String(contentsOfFile: note, encoding: .utf8) else { return }
        logger.warning("a checkpoint was cut short and is removed", metadata: ["folder": "\(path)"])
        // A caller who has removed the folder has removed what was in it.
        try? CheckpointFolder(path, field: "outputPath").removeCheckpoint()
        unlink(note)
    }
}
