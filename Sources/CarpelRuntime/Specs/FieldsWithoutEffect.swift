import CarpelAPI

/// A field that a request set and that changes nothing, for the verbose information about a pod or a container.
struct FieldWithoutEffect: Codable, Equatable, Sendable {
    /// `config.linux.cgroupParent`
    let field: String
    let reason: String
}

/// What was accepted of a pod, because CRI's clients always send it or CRI says "when applicable", and has no effect.
func fieldsWithoutEffect(of config: PodSandboxConfig) -> [FieldWithoutEffect] {
    guard let linux = config.linux else { return [] }
    let noProcess = "the pod has no process of its own: its machine stands in for it"
    let context = linux.securityContext ?? LinuxSandboxSecurityContext()
    let candidates: [(isSet: Bool, field: String, reason: String)] = [
        (
            !linux.cgroupParent.isEmpty, "cgroupParent",
            "the pod's cgroups are in its machine's kernel; QEMU runs in libvirt's cgroup on the node"
        ),
        (
            linux.overhead.map { $0 != LinuxContainerResources() } ?? false, "overhead",
            "the machine's size follows from linux.resources; what QEMU uses beside it is not limited by this"
        ),
        (context.runAsUser != nil, "securityContext.runAsUser", noProcess),
        (context.runAsGroup != nil, "securityContext.runAsGroup", noProcess),
        (context.readonlyRootfs, "securityContext.readonlyRootfs", noProcess),
        (!context.supplementalGroups.isEmpty, "securityContext.supplementalGroups", noProcess),
        (context.seccomp != nil, "securityContext.seccomp", noProcess),
        (context.apparmor != nil, "securityContext.apparmor", noProcess),
    ]
    return candidates.filter(\.isSet).map { FieldWithoutEffect(field: "config.linux.\($0.field)", reason: $0.reason) }
}

/// What was accepted of a container and has no effect.
func fieldsWithoutEffect(of config: ContainerConfig) -> [FieldWithoutEffect] {
    let relabelled = config.mounts.enumerated().filter(\.element.selinuxRelabel).map { index, _ in
        FieldWithoutEffect(
            field: "config.mounts[\(index)].selinuxRelabel", reason: "the pod's kernel has no SELinux policy loaded")
    }
    return relabelled + (config.linux?.securityContext.map(fieldsWithoutEffect) ?? [])
}

private func fieldsWithoutEffect(of context: LinuxContainerSecurityContext) -> [FieldWithoutEffect] {
    let privileged = "a privileged container is not confined"
    let candidates: [(isSet: Bool, field: String, reason: String)] = [
        (context.privileged && context.capabilities != nil, "capabilities", privileged),
        (context.privileged && context.seccomp != nil, "seccomp", privileged),
        (context.privileged && !context.maskedPaths.isEmpty, "maskedPaths", privileged),
        (context.privileged && !context.readonlyPaths.isEmpty, "readonlyPaths", privileged),
        (
            context.apparmor?.profileType == .RuntimeDefault, "apparmor",
            "Carpel's default AppArmor profile is none: its machines load no profiles"
        ),
    ]
    return candidates.filter(\.isSet).map {
        FieldWithoutEffect(field: "config.linux.securityContext.\($0.field)", reason: $0.reason)
    }
}
