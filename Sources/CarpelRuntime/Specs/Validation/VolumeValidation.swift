import CarpelAPI
import CarpelCore

/// LUNs that a pod's disks may take beside those of its images.
private let mostVolumes = 64

func checkVolumes(_ volumes: [PodVolume], at field: String) throws {
    guard volumes.count <= mostVolumes else {
        throw CarpelError.invalid(field, "\(volumes.count) volumes; a pod has at most \(mostVolumes)")
    }
    var names: Set<String> = []
    for (index, volume) in volumes.enumerated() {
        let field = "\(field)[\(index)]"
        try checkVolumeName(volume.name, at: "\(field).name")
        guard names.insert(volume.name).inserted else {
            throw CarpelError.invalid("\(field).name", "another volume of the pod has the name \"\(volume.name)\"")
        }
        switch (volume.emptyDir, volume.persistent) {
        case (let emptyDir?, nil): try checkEmptyDir(emptyDir, at: "\(field).emptyDir")
        case (nil, let persistent?): try checkVolumeName(persistent.volume, at: "\(field).persistent.volume")
        default:
            throw CarpelError.invalid(field, "give either emptyDir or persistent", reason: "volumeSourceInvalid")
        }
    }
}

/// What a guest, a file name and a plugin can all take.
func checkVolumeName(_ name: String, at field: String) throws {
    guard !name.isEmpty else { throw CarpelError.missing(field) }
    let isValid =
        name.utf8.count <= 128 && !name.hasPrefix(".")
        && name.utf8.allSatisfy { $0.isHostnameByte || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
    guard isValid else {
        throw CarpelError.invalid(
            field, "\"\(name)\" is no name: at most 128 letters, digits, -, _ and ., not beginning with a dot",
            reason: "nameInvalid")
    }
}

private func checkEmptyDir(_ volume: EmptyDirVolume, at field: String) throws {
    let field = "\(field).sizeLimitBytes"
    guard volume.sizeLimitBytes >= 0 else { throw CarpelError.invalid(field, "a size is not negative") }
    guard volume.medium == .DISK, volume.sizeLimitBytes > 0 else { return }
    let least = EmptyVolumes.leastSize
    guard volume.sizeLimitBytes >= least.bytes else {
        throw CarpelError.invalid(field, "\(volume.sizeLimitBytes) bytes; a volume on disk has at least \(least)")
    }
}

/// A mount has one source: a path of the node, an image, or a volume of the pod.
func checkMounts(_ mounts: [CarpelAPI.Mount], in sandbox: PodSandboxConfig, at field: String) throws {
    for (index, mount) in mounts.enumerated() {
        let field = "\(field)[\(index)]"
        try checkAbsolutePath(mount.containerPath, at: "\(field).containerPath")
        guard !mount.containerPath.allSatisfy({ $0 == "/" }) else {
            throw CarpelError.invalid("\(field).containerPath", "nothing can be mounted over the container's root")
        }
        try checkSource(mount, in: sandbox, at: field)
        try checkOptions(mount, at: field)
    }
}

private func checkSource(_ mount: CarpelAPI.Mount, in sandbox: PodSandboxConfig, at field: String) throws {
    let hasImage = mount.image.map { !$0.image.isEmpty } ?? false
    guard [!mount.hostPath.isEmpty, hasImage, mount.carpel != nil].count(where: { $0 }) == 1 else {
        throw CarpelError.invalid(
            field, "give one source: hostPath, image.image or carpel.volume", reason: "mountSourceInvalid")
    }
    if !mount.hostPath.isEmpty { try checkAbsolutePath(mount.hostPath, at: "\(field).hostPath") }
    if !mount.imageSubPath.isEmpty {
        guard hasImage else { throw CarpelError.invalid("\(field).imageSubPath", "there is no image") }
        try checkSubPath(mount.imageSubPath, at: "\(field).imageSubPath")
    }
    guard let carpel = mount.carpel else { return }
    try checkIsVolume(carpel.volume, of: sandbox, at: "\(field).carpel.volume")
    if !carpel.subPath.isEmpty { try checkSubPath(carpel.subPath, at: "\(field).carpel.subPath") }
}

private func checkSubPath(_ path: String, at field: String) throws {
    guard !path.hasPrefix("/"), !path.leavesFolder, !path.holdsNUL else {
        throw CarpelError.invalid(field, "\"\(path)\" is not a relative path without ..", reason: "subPathInvalid")
    }
}

func checkIsVolume(_ name: String, of sandbox: PodSandboxConfig, at field: String) throws {
    guard sandbox.carpel?.volumes.contains(where: { $0.name == name }) ?? false else {
        throw CarpelError.invalid(
            field, "the pod has no volume \"\(name)\"; name it in the sandbox's config.carpel.volumes",
            reason: "volumeUnknown")
    }
}

private func checkOptions(_ mount: CarpelAPI.Mount, at field: String) throws {
    guard mount.propagation != .PROPAGATION_BIDIRECTIONAL else {
        throw CarpelError.unsupported(
            "\(field).propagation", "mountPropagationUnsupported",
            "\(mount.propagation.rawValue): what is mounted in the pod's kernel cannot appear in the node's; "
                + "use PROPAGATION_PRIVATE or PROPAGATION_HOST_TO_CONTAINER")
    }
    // Source: CRI, Mount.recursive_read_only.
    guard !mount.recursiveReadOnly || mount.propagation == .PROPAGATION_PRIVATE else {
        throw CarpelError.invalid("\(field).recursiveReadOnly", "it needs the propagation to be private")
    }
    guard mount.uidMappings.isEmpty, mount.gidMappings.isEmpty else {
        throw CarpelError.unsupported(
            "\(field).\(mount.uidMappings.isEmpty ? "gidMappings" : "uidMappings")", "idMappedMountsUnsupported",
            "a pod has no user namespace of the node to map from; leave the mappings out")
    }
    guard mount.mountOptions.isEmpty else {
        throw CarpelError.unsupported(
            "\(field).mountOptions", "mountOptionsUnsupported", "use readonly or recursiveReadOnly, or leave them out")
    }
    // Source: CRI, Mount.recursive_read_only.
    guard !mount.recursiveReadOnly || mount.readonly else {
        throw CarpelError.invalid("\(field).recursiveReadOnly", "it needs readonly to be true as well")
    }
}
