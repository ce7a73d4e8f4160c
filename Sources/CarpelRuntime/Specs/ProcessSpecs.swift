import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import CarpelSeccomp
import Foundation

/// The first process of a container.
func processSpec(_ config: ContainerConfig, sandbox: PodSandboxConfig, image: ImageConfig) throws -> ProcessSpec {
    let context = config.linux?.securityContext
    let capabilities = CapabilitySet(of: context)
    var process = ProcessSpec(
        arguments: try arguments(config, image: image), environment: environment(config, sandbox: sandbox, image: image)
    )
    process.workingDirectory = try workingDirectory(config, image: image)
    process.user = user(context, image: image)
    process.terminal = config.tty
    process.capabilities = capabilities.rawValue
    process.noNewPrivileges = context?.noNewPrivs ?? false
    process.seccompProgram = try seccompProgram(context, capabilities: capabilities)
    return process
}

/// A further process in the container: environment, user, capabilities, filter and directory of its first one.
func execProcess(command: [String], container: ContainerSpec, terminal: Bool = false) -> ProcessSpec {
    var process = container.process
    process.arguments = command
    process.terminal = terminal
    if terminal, !process.environment.contains(where: { $0.hasPrefix("TERM=") }) {
        process.environment.append(defaultTerminal)
    }
    return process
}

/// CRI's command replaces the image's entrypoint and drops its cmd; CRI's args alone replace the cmd.
/// Source: containerd, WithProcessArgs.
private func arguments(_ config: ContainerConfig, image: ImageConfig) throws -> [String] {
    let entrypoint = image.entrypoint == [""] ? [] : image.entrypoint
    let words =
        config.command.isEmpty
        ? entrypoint + (config.args.isEmpty ? image.cmd : config.args)
        : config.command + config.args
    guard let program = words.first, !program.isEmpty else {
        throw CarpelError.invalid(
            "config.command", "neither the request nor the image says what to run; set command", reason: "noCommand")
    }
    return words
}

private let defaultTerminal = "TERM=xterm"

/// In the order of containerd, each over the one before: PATH and TERM, HOSTNAME, the image, CRI.
private func environment(_ config: ContainerConfig, sandbox: PodSandboxConfig, image: ImageConfig) -> [String] {
    var environment = Environment([Environment.defaultPath])
    if config.tty { environment.set(defaultTerminal) }
    environment.set("HOSTNAME=\(hostname(of: sandbox))")
    for entry in image.env { environment.set(entry) }
    for variable in config.envs {
        environment.set("\(variable.key)=\(String(decoding: variable.value, as: UTF8.self))")
    }
    return environment.entries
}

private func workingDirectory(_ config: ContainerConfig, image: ImageConfig) throws -> String {
    let directory = config.workingDir.isEmpty ? image.workingDir : config.workingDir
    guard !directory.isEmpty else { return "/" }
    try checkWorkingDirectory(directory)
    return directory
}

/// CRI's user without the image's group, or else the image's `user:group`. Source: containerd, GenerateUserString.
private func user(_ context: LinuxContainerSecurityContext?, image: ImageConfig) -> ProcessSpec.User {
    var user = ProcessSpec.User()
    if let name = context?.runAsUsername, !name.isEmpty {
        user.name = name
    } else if let id = context?.runAsUser {
        user.name = String(id.value)
    } else {
        user.name = image.user
    }
    user.group = context?.runAsGroup.map { UInt32($0.value) }
    user.additionalGroups = context?.supplementalGroups.map { UInt32($0) } ?? []
    user.mergeImageGroups = context?.supplementalGroupsPolicy != .Strict
    return user
}

/// CRI: without a profile there is no filter ("identical with unconfined"), nor for a privileged container.
private func seccompProgram(_ context: LinuxContainerSecurityContext?, capabilities: CapabilitySet) throws -> [UInt8] {
    guard let context, !context.privileged, let choice = context.seccomp else { return [] }
    switch choice.profileType {
    case .Unconfined: return []
    case .RuntimeDefault: return try CompiledDefaults.program(for: capabilities)
    case .Localhost:
        let profile = try SeccompProfile(contentsOf: choice.localhostRef)
        return try profile.compile(for: SeccompTarget(capabilities: capabilities))
    }
}
