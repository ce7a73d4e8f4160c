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
func guestMounts(of config: ContainerConfig, images: MountImages) -> [ContainerSpec.Mount] {
    config.mounts.enumerated().map { index, mount in
        ContainerSpec.Mount(
            source: source(of: mount, at: index, image: images[index]), destination: mount.containerPath,
            readOnly: mount.readonly, recursivelyReadOnly: mount.recursiveReadOnly)
    }
}

private func source(
    of mount: CarpelAPI.Mount, at index: Int, image: Image?
) -> ContainerSpec.Mount.Source {
    if let image {
        return .image(layers: distinctLayers(of: image).map(layerSerial), subPath: mount.imageSubPath)
    }
    if let carpel = mount.carpel { return .volume(name: carpel.volume, subPath: carpel.subPath) }
    return .shared(path: ContainerSpec.unshared(index))
}

extension ContainerSpec {
    /// What `guestMounts` calls the path of the node at this index before ``PodSandbox/shareHostPaths(of:)``.
    fileprivate static func unshared(_ index: Int) -> String { "host-path-\(index)" }

    /// The same with the node's paths where the machine finds them.
    fileprivate func finding(_ places: [String: String]) -> ContainerSpec {
        var spec = self
        for (index, mount) in mounts.enumerated() {
            guard case .shared(let name) = mount.source, let place = places[name] else { continue }
            spec.mounts[index].source = .shared(path: place)
        }
        return spec
    }

    /// What is bound in the shared folder for it.
    fileprivate var sharedNames: [String] {
        mounts.compactMap { mount in
            guard case .shared(let place) = mount.source else { return nil }
            return place.split(separator: "/").first.map(String.init)
        }
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

    /// Lets the machine see the paths of the node that a container mounts: what another one mounts, too, at the same place.
    ///
    /// - Returns: whether it mounts any.
    func shareHostPaths(of id: String) throws -> Bool {
        let record = try container(id).record
        let folder = SharedFolder(environment.paths.sharedFolder(self.id))
        var places: [String: String] = [:]
        for (index, mount) in record.config.mounts.enumerated() where !mount.hostPath.isEmpty {
            do {
                places[ContainerSpec.unshared(index)] = try folder.bind(
                    mount.hostPath, readOnly: mount.readonly, recursivelyReadOnly: mount.recursiveReadOnly,
                    followsHost: mount.propagation == .PROPAGATION_HOST_TO_CONTAINER)
            } catch let error as CarpelError {
                throw CarpelError(
                    error.code, error.reason, error.message, field: "config.mounts[\(index)].hostPath")
            }
        }
        guard !places.isEmpty else { return false }
        // At once: what no record names is taken away when another container leaves.
        containers[id]?.record.spec = Data(try CBOREncoder().encode(try record.guestSpec().finding(places)))
        return true
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

    /// Takes away what no container but `leaving` mounts of the node's files.
    func unshareUnused(without leaving: String) throws {
        let staying = containers.values.map(\.record).filter { $0.id != leaving }
        let used = Set(try staying.flatMap { try $0.guestSpec().sharedNames })
        let folder = SharedFolder(environment.paths.sharedFolder(id))
        for name in folder.names() where !used.contains(name) { try folder.unbind(name) }
    }
}
