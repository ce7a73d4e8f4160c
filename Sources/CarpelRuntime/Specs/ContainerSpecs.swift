import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages

/// A container as the guest is told to make it: CRI's configuration over the image's.
///
/// Validates `config` first.
/// - Parameters:
///   - sandbox: the pod's configuration, as it was validated when the pod was run.
///   - layers: serials of the image's disks, bottom first.
func containerSpec(
    id: String, config: ContainerConfig, sandbox: PodSandboxConfig, image: ImageConfig, layers: [String]
) throws -> ContainerSpec {
    try validate(container: config, in: sandbox)
    let context = config.linux?.securityContext
    let resources = config.linux?.resources
    var spec = ContainerSpec(id: id, layers: layers, process: try processSpec(config, sandbox: sandbox, image: image))
    spec.readOnlyRoot = context?.readonlyRootfs ?? false
    spec.namespaces = namespaces(context?.namespaceOptions)
    spec.resources = containerResources(resources)
    spec.oomScoreAdjustment = Int32(resources?.oomScoreAdj ?? 0)
    spec.devices = config.devices.compactMap(guestDevice)
    spec.privileged = context?.privileged ?? false
    if !spec.privileged {
        spec.maskedPaths = context?.maskedPaths ?? []
        spec.readOnlyPaths = context?.readonlyPaths ?? []
    }
    spec.stdin = config.stdin
    return spec
}

/// Without the message the modes are CRI's defaults: POD, for the processes too.
private func namespaces(_ options: NamespaceOption?) -> ContainerSpec.Namespaces {
    let options = options ?? NamespaceOption()
    var namespaces = ContainerSpec.Namespaces()
    namespaces.pid =
        switch options.pid {
        case .CONTAINER: .container
        case .TARGET: .target(container: options.targetId)
        case .POD, .NODE: .pod
        }
    namespaces.ipc = options.ipc == .CONTAINER ? .container : .pod
    return namespaces
}
