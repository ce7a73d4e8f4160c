import CarpelAPI
import CarpelCore
import Foundation

/// The requests that `carpel run` makes of its options.
struct RunPlan {
    let image: String
    /// Absent where the container is added to an existing pod.
    let pod: PodSandboxConfig?
    private let container: ContainerConfig

    /// The value that CPU quotas are parts of, in microseconds.
    private static let cpuPeriod: Int64 = 100_000

    /// - Parameters:
    ///   - environment: where `--env NAME` takes its value.
    ///   - suffix: what makes a made up name unique.
    init(
        image: String, command: [String], options: RunOptions,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        suffix: String = String(UInt32.random(in: 0...0xFFFFFF) | 0x100_0000, radix: 16).dropFirst().lowercased()
    ) throws {
        let name = options.name ?? "\(Self.baseName(of: image))-\(suffix)"
        let labels = try pairs(options.label, option: "--label")
        let resources = try Self.resources(options)
        let mounts = try RunMounts(options)
        self.image = image
        pod = options.pod == nil ? try Self.pod(name, labels, resources, mounts.podVolumes, options) : nil
        container = try ContainerConfig {
            $0.metadata = ContainerMetadata { $0.name = name }
            $0.command = options.entrypoint.map { [$0] } ?? []
            $0.args = command
            $0.workingDir = options.workdir ?? ""
            $0.envs = try Self.variables(options.env, environment)
            $0.mounts = mounts.mounts
            $0.labels = labels
            $0.logPath = "\(name).log"
            $0.stdin = options.interactive
            $0.stdinOnce = options.interactive && !options.detach
            $0.tty = options.tty
            let security = try Self.security(options)
            $0.linux = LinuxContainerConfig {
                $0.resources = resources
                $0.securityContext = security
            }
        }
    }

    /// The container, once the image is known.
    func container(imageID: String) -> ContainerConfig {
        var config = container
        config.image = ImageSpec {
            $0.image = imageID
            $0.userSpecifiedImage = image
        }
        return config
    }

    private static func pod(
        _ name: String, _ labels: [String: String], _ resources: LinuxContainerResources, _ volumes: [PodVolume],
        _ options: RunOptions
    ) throws -> PodSandboxConfig {
        let ports = try options.publish.map { try PublishedPort($0).mapping }
        let networks = networks(options)
        return PodSandboxConfig {
            $0.metadata = PodSandboxMetadata {
                $0.name = name
                $0.namespace = options.namespace ?? "default"
                $0.uid = UUID().uuidString.lowercased()
            }
            $0.hostname = options.hostname ?? ""
            $0.portMappings = ports
            $0.labels = labels
            if !volumes.isEmpty || !networks.isEmpty {
                $0.carpel = PodSandboxExtension {
                    $0.volumes = volumes
                    $0.networks = networks
                }
            }
            $0.linux = LinuxPodSandboxConfig {
                $0.resources = resources
                $0.securityContext = LinuxSandboxSecurityContext { $0.privileged = options.privileged }
            }
        }
    }

    /// None where nothing was asked for: the daemon then takes its default.
    private static func networks(_ options: RunOptions) -> [PodNetwork] {
        let names = options.network.isEmpty && !options.addresses.isEmpty ? [""] : options.network
        return names.enumerated().map { index, name in
            PodNetwork {
                $0.name = name
                $0.addresses = index == 0 ? options.addresses : []
            }
        }
    }

    private static func resources(_ options: RunOptions) throws -> LinuxContainerResources {
        var resources = LinuxContainerResources()
        if let cpus = options.cpus {
            guard cpus >= 0.01, cpus <= 1024 else { throw invalid("--cpus", "\(cpus)", "a number from 0.01 to 1024") }
            resources.cpuPeriod = cpuPeriod
            resources.cpuQuota = Int64((cpus * Double(cpuPeriod)).rounded())
        }
        if let memory = options.memory {
            guard let limit = ByteCount(quantity: memory), limit.bytes > 0 else {
                throw invalid("--memory", memory, "a quantity such as 128Mi or 2Gi")
            }
            resources.memoryLimitInBytes = limit.bytes
        }
        return resources
    }

    private static func security(_ options: RunOptions) throws -> LinuxContainerSecurityContext {
        var context = LinuxContainerSecurityContext {
            $0.privileged = options.privileged
            $0.readonlyRootfs = options.readOnly
        }
        if !options.addedCapabilities.isEmpty || !options.droppedCapabilities.isEmpty {
            context.capabilities = Capability {
                $0.addCapabilities = options.addedCapabilities
                $0.dropCapabilities = options.droppedCapabilities
            }
        }
        guard let user = options.user else { return context }
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if let uid = Int64(parts[0]) {
            context.runAsUser = Int64Value { $0.value = uid }
        } else {
            context.runAsUsername = String(parts[0])
        }
        if parts.count > 1 {
            guard let gid = Int64(parts[1]) else { throw invalid("--user", user, "uid, uid:gid, name or name:gid") }
            context.runAsGroup = Int64Value { $0.value = gid }
        }
        return context
    }

    private static func variables(_ options: [String], _ environment: [String: String]) throws -> [KeyValue] {
        try options.compactMap { option in
            guard !option.hasPrefix("="), !option.isEmpty else { throw invalid("--env", option, "NAME=VALUE or NAME") }
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let value = parts.count > 1 ? String(parts[1]) : environment[name] else { return nil }
            return KeyValue {
                $0.key = name
                $0.value = Data(value.utf8)
            }
        }
    }

    /// `127.0.0.1:5000/tools/Busy_Box:1.36` as `busy-box`.
    private static func baseName(of image: String) -> String {
        let name = image.split(separator: "/").last?.split(whereSeparator: { $0 == ":" || $0 == "@" }).first ?? ""
        let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return words.isEmpty ? "pod" : words.joined(separator: "-")
    }
}
