import CarpelAPI
import CarpelCore
import Foundation

/// Refuses what a container asks for and Carpel cannot give, by the field's path.
///
/// - Parameter sandbox: the pod's configuration, as it was validated when the pod was run.
/// - Throws: `.invalidArgument` for a value that means nothing, `.unimplemented` for a feature that is not there.
func validate(container config: ContainerConfig, in sandbox: PodSandboxConfig) throws {
    guard let metadata = config.metadata else { throw CarpelError.missing("config.metadata") }
    try checkName(metadata.name, at: "config.metadata.name")
    guard let image = config.image, !image.image.isEmpty else { throw CarpelError.missing("config.image.image") }
    try checkCommand(config)
    try checkEnvironment(config.envs, at: "config.envs")
    try checkLogPath(config.logPath, at: "config.logPath")
    try checkLabels(config.labels, at: "config.labels")
    try checkAnnotations(config.annotations, at: "config.annotations")
    try checkMounts(config.mounts, in: sandbox, at: "config.mounts")
    try checkHostThings(config, in: sandbox)
    guard let linux = config.linux else { return }
    if let resources = linux.resources { try checkResources(resources, at: "config.linux.resources") }
    if let context = linux.securityContext {
        try checkContext(context, in: sandbox, at: "config.linux.securityContext")
    }
}

private func checkCommand(_ config: ContainerConfig) throws {
    for (field, words) in [("config.command", config.command), ("config.args", config.args)] {
        for (index, word) in words.enumerated() where word.holdsNUL {
            throw CarpelError.invalid("\(field)[\(index)]", "an argument cannot hold NUL")
        }
    }
    guard config.command.first != "" else {
        throw CarpelError.invalid("config.command[0]", "the program's name is empty")
    }
    if !config.workingDir.isEmpty { try checkWorkingDirectory(config.workingDir) }
}

func checkWorkingDirectory(_ path: String) throws {
    guard path.hasPrefix("/"), !path.holdsNUL else {
        throw CarpelError.invalid(
            "config.workingDir", "\"\(path)\" is not absolute; give a path that starts with /",
            reason: "workingDirectoryInvalid")
    }
}

/// The values are bytes in CRI, but text in Carpel's own messages.
private func checkEnvironment(_ entries: [KeyValue], at field: String) throws {
    for (index, entry) in entries.enumerated() {
        guard !entry.key.isEmpty, !entry.key.contains("="), !entry.key.holdsNUL else {
            throw CarpelError.invalid(
                "\(field)[\(index)].key", "a variable's name is not empty and has no = and no NUL")
        }
        guard let value = String(validating: entry.value, as: UTF8.self), !value.holdsNUL else {
            throw CarpelError.invalid("\(field)[\(index)].value", "the value of \(entry.key) is not UTF-8 or holds NUL")
        }
    }
}

private func checkLogPath(_ path: String, at field: String) throws {
    guard !path.hasPrefix("/"), !path.leavesFolder, !path.holdsNUL, !path.hasSuffix("/") else {
        throw CarpelError.invalid(
            field, "\"\(path)\" is not a file below the sandbox's logDirectory; give a relative path without ..",
            reason: "logPathInvalid")
    }
}

/// What would need the node's devices or another operating system.
private func checkHostThings(_ config: ContainerConfig, in sandbox: PodSandboxConfig) throws {
    for (index, device) in config.devices.enumerated() {
        try checkDevice(device, in: sandbox, at: "config.devices[\(index)]")
    }
    guard config.CDIDevices.isEmpty else {
        throw CarpelError.unsupported(
            "config.CDIDevices[0]", "cdiUnsupported",
            "devices of the node cannot be passed to a pod; leave CDIDevices out")
    }
    guard config.windows == nil else { throw windowsUnsupported("config.windows") }
}

private func checkContext(
    _ context: LinuxContainerSecurityContext, in sandbox: PodSandboxConfig, at field: String
) throws {
    guard !context.privileged || sandbox.linux?.securityContext?.privileged == true else {
        throw CarpelError.invalid(
            "\(field).privileged",
            "the pod was not run with linux.securityContext.privileged; run it with that, or leave this out",
            reason: "privilegedNotAllowed")
    }
    if let capabilities = context.capabilities { try checkCapabilities(capabilities, at: "\(field).capabilities") }
    try checkContainerNamespaces(context.namespaceOptions, at: "\(field).namespaceOptions")
    try checkSELinux(context.selinuxOptions, at: "\(field).selinuxOptions")
    try checkUser(context.runAsUser, name: context.runAsUsername, group: context.runAsGroup, at: field)
    try checkGroups(context.supplementalGroups, at: "\(field).supplementalGroups")
    for (index, path) in context.maskedPaths.enumerated() {
        try checkAbsolutePath(path, at: "\(field).maskedPaths[\(index)]")
    }
    for (index, path) in context.readonlyPaths.enumerated() {
        try checkAbsolutePath(path, at: "\(field).readonlyPaths[\(index)]")
    }
    try checkSeccomp(context.seccomp, deprecated: context.seccompProfilePath, at: field)
    try checkAppArmor(context.apparmor, deprecated: context.apparmorProfile, at: field)
}

/// Refuses a command of Exec or ExecSync that cannot be one.
func validate(command: [String], at field: String) throws {
    guard let program = command.first, !program.isEmpty else {
        throw CarpelError.invalid(field, "name the program to run", reason: "noCommand")
    }
    for (index, word) in command.enumerated() where word.holdsNUL {
        throw CarpelError.invalid("\(field)[\(index)]", "an argument cannot hold NUL")
    }
}
