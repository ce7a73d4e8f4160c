import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import CarpelMachines
import Foundation

/// A container that can be made.
struct PreparedContainer: Sendable {
    /// Of the record: name and attempt.
    let name: String
    let config: ContainerConfig
    let image: Image
    let mountImages: MountImages
}

extension PodSandbox {
    /// Makes a container that waits to be started. A repetition of the same request gets the same container.
    ///
    /// - Returns: the container's id.
    func createContainer(_ wanted: PreparedContainer) async throws -> String {
        _ = try running()
        if let existing = containers.values.first(where: { $0.record.name == wanted.name }) {
            return try await join(existing, for: wanted.config)
        }
        try checkMounts(of: wanted.config)
        let record = try makeRecord(wanted)
        var container = Container(record)
        let creation = Task { try await self.createOrUndo(record, images: [wanted.image] + wanted.mountImages.values) }
        container.creation = creation
        containers[record.id] = container
        try await creation.value
        return record.id
    }

    private func join(_ existing: Container, for config: ContainerConfig) async throws -> String {
        guard existing.record.answers(config) else {
            throw CarpelError(
                .alreadyExists, "containerNameTaken",
                "the pod has a container \"\(existing.record.name)\" with another content or in another state "
                    + "(\(existing.record.id.prefix(13))); remove it or count up config.metadata.attempt",
                field: "config.metadata")
        }
        try await existing.creation?.value
        return existing.record.id
    }

    private func makeRecord(_ wanted: PreparedContainer) throws -> ContainerRecord {
        let id = makeID()
        let (config, image) = (wanted.config, wanted.image)
        let layers = distinctLayers(of: image)
        var spec = try containerSpec(
            id: id, config: config, sandbox: record.config, image: image.config, layers: layers.map(layerSerial))
        spec.mounts += guestMounts(of: config, images: wanted.mountImages)
        let mountedLayers = wanted.mountImages.values.flatMap(distinctLayers).filter { !layers.contains($0) }
        return ContainerRecord(
            id: id, podID: self.id, name: wanted.name, config: config, imageID: image.id,
            imageReference: image.repoDigests.first ?? image.id,
            layers: layers + Set(mountedLayers).sorted(),
            spec: Data(try CBOREncoder().encode(spec)),
            createdAt: now(), phase: .creating,
            logPath: logPath(of: config, id: id, in: record.config, podID: self.id, paths: environment.paths),
            nextOutput: 0, lostRecords: 0, lostBytes: 0)
    }

    private func createOrUndo(_ record: ContainerRecord, images: [Image]) async throws {
        var undo = UndoStack()
        do {
            let store = environment.store
            undo.push("the container's record") { try await store.delete(record) }
            try await store.insert(record)
            for image in images { try await attachLayers(of: image) }
            undo.push("the container's view of the node's files") {
                try await self.unshareUnused(without: record.id)
            }
            if try shareHostPaths(of: record.id) { try await plugInSharedFolder() }
            try await makeRoom(for: record)

            let running = try running()
            let spec = try container(record.id).record.guestSpec()
            undo.push("the container in the guest") { try await running.guest.ask(.removeContainer(id: record.id)) }
            try await translated("create the container") { try await running.guest.ask(.createContainer(spec)) }
            try await update(record.id) { $0.phase = .created }
            containers[record.id]?.creation = nil
        } catch {
            let leftovers = await undo.unwind()
            if !leftovers.isEmpty {
                logger.error("a failed container left something behind", metadata: ["leftovers": "\(leftovers)"])
            }
            if case .ready = state { try? await detachUnused(record.layers, without: record.id) }
            containers[record.id] = nil
            throw CarpelError.wrapping(error, during: "create the container \(record.config.metadata?.name ?? "")")
        }
    }

    /// Makes the image's disks visible in the machine; those that another container uses already are.
    private func attachLayers(of image: Image) async throws {
        let machine = try running().machine
        let disks = try await environment.images.layerDisks(of: image)
        try await serialisingDevices {
            for disk in disks {
                try await machine.attach(
                    DiskSpec(
                        serial: layerSerial(disk.diffID), path: disk.path, format: .raw, readOnly: true, bus: .scsi))
            }
        }
    }

    /// Takes away the disks of `layers` that no container of the pod but `leaving` needs.
    func detachUnused(_ layers: [String], without leaving: String) async throws {
        let machine = try running().machine
        try await serialisingDevices {
            for layer in Set(layers).subtracting(await self.layersInUse(without: leaving)) {
                try await machine.detach(serial: layerSerial(layer))
            }
        }
    }
}

extension PodSandbox {
    private func layersInUse(without leaving: String) -> Set<String> {
        Set(containers.values.filter { $0.record.id != leaving }.flatMap(\.record.layers))
    }
}

/// CRI's folder and path, or a file of the pod's own where CRI named none.
func logPath(
    of config: ContainerConfig, id: String, in sandbox: PodSandboxConfig, podID: String, paths: NodePaths
) -> String {
    guard !sandbox.logDirectory.isEmpty, !config.logPath.isEmpty else { return "\(paths.pod(podID))/\(id).log" }
    return "\(sandbox.logDirectory)/\(config.logPath)"
}

/// Diff ids, bottom first. overlayfs refuses a layer twice; the upper place of one that occurs twice decides.
func distinctLayers(of image: Image) -> [String] {
    var seen: Set<String> = []
    return image.layers.map(\.diffID).reversed().filter { seen.insert($0).inserted }.reversed()
}

/// The serial under which the guest finds a layer's disk: 80 bits of its diff id.
func layerSerial(_ diffID: String) -> String {
    String(diffID.drop { $0 != ":" }.dropFirst().prefix(20))
}

extension ContainerRecord {
    func guestSpec() throws -> ContainerSpec {
        try CBORDecoder().decode(ContainerSpec.self, from: Array(spec))
    }
}
