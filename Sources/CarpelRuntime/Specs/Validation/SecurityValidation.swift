import CarpelAPI
import CarpelCore
import CarpelSeccomp

// Namespaces

func checkSandboxNamespaces(_ options: NamespaceOption?, at field: String) throws {
    guard let options else { return }
    try checkSharedNamespaces(options, at: field)
    if options.pid == .TARGET {
        throw CarpelError.invalid("\(field).pid", "only a container can join another container's processes")
    }
}

func checkContainerNamespaces(_ options: NamespaceOption?, at field: String) throws {
    guard let options else { return }
    try checkSharedNamespaces(options, at: field)
    switch (options.pid, options.targetId.isEmpty) {
    case (.TARGET, true): throw CarpelError.missing("\(field).targetId")
    case (.TARGET, false), (_, true): return
    case (_, false): throw CarpelError.invalid("\(field).targetId", "has a meaning only where pid is TARGET")
    }
}

private func checkSharedNamespaces(_ options: NamespaceOption, at field: String) throws {
    switch options.network {
    case .POD: break
    case .NODE: throw nodeNamespace("\(field).network", "hostNetworkUnsupported", "network")
    case .CONTAINER, .TARGET:
        throw CarpelError.unsupported(
            "\(field).network", "networkNamespaceUnsupported", "a pod's containers share its network; use POD")
    }
    if options.pid == .NODE { throw nodeNamespace("\(field).pid", "hostPIDUnsupported", "processes") }
    switch options.ipc {
    case .POD, .CONTAINER: break
    case .NODE: throw nodeNamespace("\(field).ipc", "hostIPCUnsupported", "IPC objects")
    case .TARGET:
        throw CarpelError.unsupported(
            "\(field).ipc", "ipcNamespaceUnsupported", "IPC objects are shared by the whole pod or not at all; use POD")
    }
    if let user = options.usernsOptions { try checkUserNamespace(user, at: "\(field).usernsOptions") }
}

private func nodeNamespace(_ field: String, _ reason: String, _ what: String) -> CarpelError {
    .unsupported(field, reason, "a pod is a machine of its own and cannot share the node's \(what); use POD")
}

/// CRI knows POD and NODE here; without the message there is no user namespace either (as containerd reads it).
private func checkUserNamespace(_ options: UserNamespace, at field: String) throws {
    switch options.mode {
    case .NODE where options.uids.isEmpty && options.gids.isEmpty: return
    case .NODE: throw CarpelError.invalid(field, "the mode NODE maps no users; leave uids and gids out")
    case .POD:
        throw CarpelError.unsupported(
            "\(field).mode", "userNamespacesUnsupported",
            "a pod's users are apart from the node's already, since its kernel is; leave usernsOptions out")
    case .CONTAINER, .TARGET: throw CarpelError.invalid("\(field).mode", "CRI knows only POD and NODE here")
    }
}

// Users

/// The kernel's ids are 32 bits, of which the last is "no id" (setresuid(2)).
private let idRange: ClosedRange<Int64> = 0...Int64(UInt32.max) - 1

func checkUser(_ user: Int64Value?, name: String = "", group: Int64Value?, at field: String) throws {
    if let user { try checkID(user.value, at: "\(field).runAsUser") }
    if let group { try checkID(group.value, at: "\(field).runAsGroup") }
    guard user == nil || name.isEmpty else {
        throw CarpelError.invalid("\(field).runAsUsername", "set either runAsUser or runAsUsername")
    }
    guard group == nil || user != nil || !name.isEmpty else {
        throw CarpelError.invalid(
            "\(field).runAsGroup", "a group needs runAsUser or runAsUsername beside it", reason: "groupWithoutUser")
    }
    guard !name.holdsControlCharacter, !name.contains(":") else {
        throw CarpelError.invalid("\(field).runAsUsername", "a user's name has no colon and no control character")
    }
}

func checkGroups(_ groups: [Int64], at field: String) throws {
    for (index, group) in groups.enumerated() { try checkID(group, at: "\(field)[\(index)]") }
    // NGROUPS_MAX of linux/limits.h.
    guard groups.count <= 65536 else { throw CarpelError.invalid(field, "at most 65536 groups") }
}

private func checkID(_ id: Int64, at field: String) throws {
    guard idRange.contains(id) else {
        throw CarpelError.invalid(field, "\(id) is not between 0 and \(idRange.upperBound)")
    }
}

// Profiles

/// A context of empty strings asks for nothing.
func checkSELinux(_ options: SELinuxOption?, at field: String) throws {
    guard let options, options != SELinuxOption() else { return }
    throw CarpelError.unsupported(
        field, "selinuxUnsupported", "Carpel's machines load no SELinux policy; leave the field out")
}

/// - Parameter field: the security context, which holds `seccomp` and the deprecated `seccompProfilePath`.
func checkSeccomp(_ profile: SecurityProfile?, deprecated: String, at field: String) throws {
    try checkDeprecated(deprecated, agreesWith: profile, at: "\(field).seccompProfilePath", use: "\(field).seccomp")
    guard let profile else { return }
    let reference = "\(field).seccomp.localhostRef"
    try checkReference(of: profile, at: reference)
    if profile.profileType == .Localhost { try checkAbsolutePath(profile.localhostRef, at: reference) }
}

/// The machines load no AppArmor profiles. CRI calls `runtime/default` equivalent to not specifying a profile,
/// and Carpel's default is that there is none.
func checkAppArmor(_ profile: SecurityProfile?, deprecated: String, at field: String) throws {
    try checkDeprecated(deprecated, agreesWith: profile, at: "\(field).apparmorProfile", use: "\(field).apparmor")
    guard let profile else { return }
    try checkReference(of: profile, at: "\(field).apparmor.localhostRef")
    guard profile.profileType != .Localhost else {
        throw CarpelError.unsupported(
            "\(field).apparmor", "apparmorUnsupported",
            "Carpel's machines load no AppArmor profiles; use Unconfined or leave the field out")
    }
}

/// CRI: localhost_ref must only be set if the type is Localhost.
private func checkReference(of profile: SecurityProfile, at field: String) throws {
    if profile.profileType == .Localhost, profile.localhostRef.isEmpty { throw CarpelError.missing(field) }
    if profile.profileType != .Localhost, !profile.localhostRef.isEmpty {
        throw CarpelError.invalid(field, "has a meaning only for the profile type Localhost")
    }
}

/// The kubelet still writes the deprecated string beside the message that replaced it; alone it is refused.
private func checkDeprecated(
    _ text: String, agreesWith profile: SecurityProfile?, at field: String, use replacement: String
) throws {
    guard !text.isEmpty else { return }
    guard let profile else {
        throw CarpelError.unsupported(field, "deprecatedField", "CRI has deprecated this field; use \(replacement)")
    }
    let expected =
        switch profile.profileType {
        case .RuntimeDefault: "runtime/default"
        case .Unconfined: "unconfined"
        case .Localhost: "localhost/\(profile.localhostRef)"
        }
    guard text == expected else {
        throw CarpelError.invalid(field, "\"\(text)\" contradicts \(replacement), which says \(expected); leave it out")
    }
}

// Capabilities

func checkCapabilities(_ capabilities: Capability, at field: String) throws {
    let lists = [
        ("addCapabilities", capabilities.addCapabilities), ("dropCapabilities", capabilities.dropCapabilities),
    ]
    for (list, names) in lists {
        for (index, name) in names.enumerated() where !CapabilitySet.isAll(name) && CapabilitySet(named: name) == nil {
            throw CarpelError.invalid(
                "\(field).\(list)[\(index)]", "\"\(name)\" is no capability; see capabilities(7)",
                reason: "unknownCapability")
        }
    }
    guard capabilities.addAmbientCapabilities.isEmpty else {
        throw CarpelError.unsupported(
            "\(field).addAmbientCapabilities", "ambientCapabilitiesUnsupported",
            "ambient capabilities are never set; give the program file capabilities or run it as root")
    }
}
