import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import CarpelMachines
import Foundation

/// What a container's mounts need beside its own image: those of image volumes, by the mount's index.
typealias MountImages = [Int: Image]

extension Runtime {
    /// - Throws: `.notFound`/`imageNotFound` if an image that is to be mounted is not on the node.
    func mountImages(of config: ContainerConfig) async throws -> MountImages {
        var found: MountImages = [:]
        for (index, mount) in config.mounts.enumerated() {
            guard let reference = mount.image?.image, !reference.isEmpty else { continue }
            guard let image = try await images.image(reference) else {
                throw CarpelError.imageNotFound(reference, field: "config.mounts[\(index)].image.image")
            }
            found[index] = image
        }
        return found
    }
}

/// The mounts as the guest is told to make them.
func guestMounts(of config: ContainerConfig, id: String, images: MountImages) -> [ContainerSpec.Mount] {
    config.mounts.enumerated().map { index, mount in
        ContainerSpec.Mount(
            source: source(of: mount, at: index, in: id, image: images[index]), destination: mount.containerPath,
            readOnly: mount.readonly, recursivelyReadOnly: mount.recursiveReadOnly)
    }
}

private func source(
    of mount: CarpelAPI.Mount, at index: Int, in id: String, image: Image?
) -> ContainerSpec.Mount.Source {
    if let image {
        return .image(layers: distinctLayers(of: image).map(layerSerial), subPath: mount.imageSubPath)
    }
    if let carpel = mount.carpel { return .volume(name: carpel.volume, subPath: carpel.subPath) }
    return .shared(path: sharedName(of: index, in: id))
}

/// What the shared folder calls the path of the node that a container mounts.
private func sharedName(of index: Int, in containerID: String) -> String { "\(containerID.prefix(13))-\(index)" }

extension ContainerSpec {
    /// The same with the node's paths where the machine finds them.
    func finding(_ places: [String: String]) -> ContainerSpec {
        var spec = self
        for (index, mount) in mounts.enumerated() {
            guard case .shared(let name) = mount.source, let place = places[name] else { continue }
            spec.mounts[index].source = .shared(path: place)
        }
        return spec
    }
}

extension PodSandbox {
    /// Refuses mounts that this pod cannot give.
    ///
    /// - Throws: `.failedPrecondition`/`virtiofsUnavailable`; `.invalidArgument`/`volumeModeMismatch`.
    func checkMounts(of config: ContainerConfig) throws {
        for (index, mount) in config.mounts.enumerated() where !mount.hostPath.isEmpty {
            guard case .unavailable(let reason) = environment.hypervisor.virtualFileSystem else { break }
            throw CarpelError(
                .failedPrecondition, "virtiofsUnavailable",
                "the node's files cannot be mounted in a pod: \(reason)", field: "config.mounts[\(index)].hostPath")
        }
        for (index, mount) in config.mounts.enumerated() {
            guard let name = mount.carpel?.volume, isBlock(name) else { continue }
            throw CarpelError.invalid(
                "config.mounts[\(index)].carpel.volume", "\(name) is a block volume; name it in config.devices",
                reason: "volumeModeMismatch")
        }
        for (index, device) in config.devices.enumerated() {
            guard let name = device.carpel?.volume, !isBlock(name) else { continue }
            throw CarpelError.invalid(
                "config.devices[\(index)].carpel.volume", "\(name) is a file system; name it in config.mounts",
                reason: "volumeModeMismatch")
        }
    }

    private func isBlock(_ volume: String) -> Bool {
        record.volumes.first { $0.name == volume }?.publication?.mode == .block
    }

    /// Lets the machine see the paths of the node that a container mounts.
    /// - Returns: where the machine finds them in the shared folder, by the names that `guestMounts` gave them.
    func shareHostPaths(of config: ContainerConfig, id: String) throws -> [String: String] {
        let folder = SharedFolder(environment.paths.sharedFolder(self.id))
        var places: [String: String] = [:]
        for (index, mount) in config.mounts.enumerated() where !mount.hostPath.isEmpty {
            let name = sharedName(of: index, in: id)
            do {
                places[name] = try folder.bind(
                    mount.hostPath, as: name, readOnly: mount.readonly, recursivelyReadOnly: mount.recursiveReadOnly,
                    followsHost: mount.propagation == .PROPAGATION_HOST_TO_CONTAINER)
            } catch let error as CarpelError {
                throw CarpelError(
                    error.code, error.reason, error.message, field: "config.mounts[\(index)].hostPath")
            }
        }
        return places
    }

    /// A machine that was restored, or of which a checkpoint was made, has no shared folder until it is needed.
    func plugInSharedFolder() async throws {
        let running = try running()
        let folder = SharedFolderSpec(tag: Self.sharedFolderTag, path: environment.paths.sharedFolder(id))
        try await serialisingDevices {
            try await running.machine.attach(folder)
            try await translated("mount the shared folder") {
                try await running.guest.ask(.mountSharedFolder(tag: folder.tag))
            }
        }
    }

    /// A machine that has a shared folder cannot be saved: what serves it is a process of the node.
    func releaseSharedFolder(of running: RunningPod) async throws {
        guard try await running.machine.hasSharedFolder() else { return }
        try await translated("unmount the shared folder") { try await running.guest.ask(.unmountSharedFolder) }
        try await running.machine.detachSharedFolder()
    }

    func unshareHostPaths(of config: ContainerConfig, id: String) throws {
        let folder = SharedFolder(environment.paths.sharedFolder(self.id))
        for (index, mount) in config.mounts.enumerated() where !mount.hostPath.isEmpty {
            try folder.unbind(sharedName(of: index, in: id))
        }
    }
}
