import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import CarpelMachines
import Foundation

/// A checkpoint that fits this node and what was asked for, and what the restored pod's containers will be.
struct RestorePlan: Sendable {
    let folder: CheckpointFolder
    let manifest: CheckpointManifest
    /// In the order of the request.
    let containers: [Container]
    /// The images' layers, as the machine must have them.
    let layers: [DiskSpec]

    struct Container: Sendable {
        /// Its id in the checkpoint.
        let former: String
        let record: ContainerRecord
        /// What its limits become; nil if they stay.
        let resources: ContainerResources?

        var name: String { record.config.metadata?.name ?? "" }
    }
}

extension Runtime {
    /// - Throws: `CarpelError`: what is wrong with the checkpoint, with this node, or with the request.
    func restorePlan(_ request: RestorePodRequest, _ config: PodSandboxConfig, podID: String) async throws
        -> RestorePlan
    {
        let folder = try CheckpointFolder(request.checkpointPath, field: "checkpointPath")
        let manifest = try folder.manifest()
        try await checkNode(manifest)
        try checkPod(config, manifest, podID: podID)
        let layers = try await layers(of: manifest)
        let configs = try matched(request.containerConfigs, manifest)
        var containers: [RestorePlan.Container] = []
        for (former, container) in configs {
            containers.append(
                try await restored(former, container, in: config, formerly: manifest.pod, podID: podID))
        }
        return RestorePlan(folder: folder, manifest: manifest, containers: containers, layers: layers)
    }

    private func checkNode(_ manifest: CheckpointManifest) async throws {
        guard manifest.carpel == CarpelVersion.runtime else {
            throw mismatch("it was made by Carpel \(manifest.carpel), and this is \(CarpelVersion.runtime)")
        }
        let guest = try await guestDigests()
        guard guest.kernel == manifest.kernel, guest.initramfs == manifest.initramfs else {
            throw mismatch("its machine booted another kernel or initramfs than this node's")
        }
    }

    private func mismatch(_ message: String) -> CarpelError {
        CarpelError(
            .failedPrecondition, "checkpointOfOtherNode",
            "the checkpoint cannot be restored here: \(message)", field: "checkpointPath")
    }

    private func checkPod(_ config: PodSandboxConfig, _ manifest: CheckpointManifest, podID: String) throws {
        let networks = try networkRequests(of: config, podID: podID, plugins: environment.configuration.networks)
        guard networks.map(\.request.interfaceName) == manifest.networks.map(\.interface) else {
            throw incompatible(
                "config.carpel.networks",
                "the pod had the interfaces \(manifest.networks.map(\.interface)), and is to have "
                    + "\(networks.map(\.request.interfaceName))")
        }
        guard config.carpel?.volumes ?? [] == manifest.pod.carpel?.volumes ?? [] else {
            throw incompatible("config.carpel.volumes", "the pod had other volumes")
        }
    }

    private func incompatible(_ field: String, _ message: String) -> CarpelError {
        CarpelError(.failedPrecondition, "checkpointMismatch", "\(field): \(message)", field: field)
    }

    /// The disk of each layer that the machine had.
    private func layers(of manifest: CheckpointManifest) async throws -> [DiskSpec] {
        var disks: [String: DiskSpec] = [:]
        var missing: [String] = []
        for name in manifest.images {
            guard let image = try await images.image(name.id) else {
                missing.append(name.reference)
                continue
            }
            for layer in try await images.layerDisks(of: image) {
                let serial = layerSerial(layer.diffID)
                disks[serial] = DiskSpec(serial: serial, path: layer.path, readOnly: true)
            }
        }
        let volumes = (0..<(manifest.pod.carpel?.volumes.count ?? 0)).map(volumeSerial)
        let needed = Set(manifest.machine.units.keys).subtracting(volumes)
        guard missing.isEmpty, needed.isSubset(of: disks.keys) else {
            let names = missing.isEmpty ? manifest.images.map(\.reference) : missing
            throw CarpelError(
                .failedPrecondition, "imagesMissing",
                "the checkpoint needs images that are not on this node as they were: \(names.sorted().joined(separator: ", "));"
                    + " pull them with PullImage first", field: "checkpointPath")
        }
        return needed.sorted().compactMap { disks[$0] }
    }

    /// The container of the checkpoint for each configuration, by the name.
    private func matched(
        _ configs: [ContainerConfig], _ manifest: CheckpointManifest
    ) throws -> [(CheckpointManifest.Container, ContainerConfig)] {
        guard !configs.isEmpty else { throw CarpelError.missing("containerConfigs") }
        let names = configs.map { $0.metadata?.name ?? "" }
        guard !names.contains(""), Set(names).count == names.count else {
            throw CarpelError.invalid(
                "containerConfigs", "each has a metadata.name of its own", reason: "containerNamedTwice")
        }
        guard Set(names) == Set(manifest.containers.map(\.name)) else {
            throw incompatible(
                "containerConfigs",
                "the checkpoint has the containers \(manifest.containers.map(\.name).sorted().joined(separator: ", ")); "
                    + "give a configuration for each, and no other")
        }
        return configs.compactMap { config in
            manifest.containers.first { $0.name == config.metadata?.name }.map { ($0, config) }
        }
    }

    private func restored(
        _ former: CheckpointManifest.Container, _ config: ContainerConfig, in sandbox: PodSandboxConfig,
        formerly formerSandbox: PodSandboxConfig, podID: String
    ) async throws -> RestorePlan.Container {
        let field = "containerConfigs[\(former.name)]"
        try CarpelRuntime.validate(container: config, in: sandbox)
        guard let reference = config.image?.image, let image = try await images.image(reference) else {
            throw CarpelError.imageNotFound(config.image?.image ?? "", field: "\(field).image.image")
        }
        guard image.id == former.imageID else {
            throw incompatible("\(field).image.image", "the container was made from the image \(former.imageID)")
        }
        let id = makeID()
        let mountImages = try await mountImages(of: config)
        func spec(in sandbox: PodSandboxConfig) throws -> ContainerSpec {
            var spec = try containerSpec(
                id: id, config: config, sandbox: sandbox, image: image.config,
                layers: distinctLayers(of: image).map(layerSerial))
            spec.mounts += guestMounts(of: config, images: mountImages)
            return spec
        }
        let before = try CBORDecoder().decode(ContainerSpec.self, from: Array(former.spec))
        // In the pod that was saved: another pod's name is in the environment, too.
        if let difference = difference(before, try spec(in: formerSandbox)) {
            throw incompatible(
                "\(field).\(difference)", "the container runs with something else, which a restore cannot change")
        }
        let wanted = try spec(in: sandbox)
        let (limits, wantedLimits) = (former.limits, config.linux?.resources ?? LinuxContainerResources())
        if let limit = lastingLimit(of: limits, missingIn: wantedLimits) {
            throw incompatible("\(field).\(limit)", "the container runs with it, and a restore cannot lift it")
        }
        let record = ContainerRecord(
            id: id, podID: podID, name: ContainerRecord.name(of: config.metadata ?? ContainerMetadata()),
            config: config, imageID: image.id, imageReference: image.repoDigests.first ?? image.id,
            layers: former.layers, spec: Data(try CBOREncoder().encode(wanted)), createdAt: now(), phase: .creating,
            logPath: logPath(of: config, id: id, in: sandbox, podID: podID, paths: environment.paths),
            nextOutput: Int64(clamping: former.nextOutput), lostRecords: 0, lostBytes: 0)
        return RestorePlan.Container(
            former: former.id, record: record, resources: restoredLimits(from: limits, to: wantedLimits))
    }

    /// CRI's name of what a running process could not be given.
    private func difference(_ before: ContainerSpec, _ wanted: ContainerSpec) -> String? {
        let (old, new) = (before.process, wanted.process)
        let checks: [(Bool, String)] = [
            (old.arguments == new.arguments, "command"), (old.environment == new.environment, "envs"),
            (old.workingDirectory == new.workingDirectory, "workingDir"),
            (old.terminal == new.terminal, "tty"), (before.stdin == wanted.stdin, "stdin"),
            (old.user == new.user, "linux.securityContext.runAsUser"), (before.mounts == wanted.mounts, "mounts"),
            (before.devices == wanted.devices, "devices"),
            (before.namespaces.isLike(wanted.namespaces), "linux.securityContext.namespaceOptions"),
            (
                old == new && before.readOnlyRoot == wanted.readOnlyRoot && before.privileged == wanted.privileged
                    && before.maskedPaths == wanted.maskedPaths && before.readOnlyPaths == wanted.readOnlyPaths,
                "linux.securityContext"
            ),
            (before.layers == wanted.layers, "image.image"),
        ]
        return checks.first { !$0.0 }?.1
    }
}

extension ContainerSpec.Namespaces {
    /// A container that another one shares its processes with has another id in each pod.
    fileprivate func isLike(_ other: Self) -> Bool {
        if case .target = pid, case .target = other.pid { return ipc == other.ipc }
        return self == other
    }
}
