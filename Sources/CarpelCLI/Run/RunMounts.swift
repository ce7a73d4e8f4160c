import CarpelAPI
import CarpelCore

/// What a container mounts, and the volumes that its pod needs for it.
struct RunMounts {
    let podVolumes: [PodVolume]
    let mounts: [Mount]

    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(_ options: RunOptions) throws {
        let arguments =
            try options.volume.map(MountArgument.init(volume:)) + options.mount.map(MountArgument.init(mount:))
            + options.tmpfs.map(MountArgument.init(tmpfs:))
        if let twice = Dictionary(grouping: arguments, by: \.target).first(where: { $1.count > 1 }) {
            throw CarpelError(.invalidArgument, "invalidOption", "two mounts have the target \(twice.key)")
        }
        mounts = arguments.enumerated().map(Self.mount)
        podVolumes = Self.memory(arguments) + Self.persistent(arguments)
        if options.pod != nil, arguments.contains(where: { if case .memory = $0.source { true } else { false } }) {
            throw CarpelError(
                .invalidArgument, "invalidOption",
                "a tmpfs is made with its pod: it cannot be added with --pod")
        }
    }

    private static func mount(_ index: Int, _ argument: MountArgument) -> Mount {
        Mount {
            $0.containerPath = argument.target
            $0.readonly = argument.readOnly
            switch argument.source {
            case .path(let path): $0.hostPath = path
            case .volume(let name): $0.carpel = MountExtension { $0.volume = name }
            case .memory: $0.carpel = MountExtension { $0.volume = memoryName(index) }
            }
        }
    }

    private static func memory(_ arguments: [MountArgument]) -> [PodVolume] {
        arguments.enumerated().compactMap { index, argument in
            guard case .memory(let size) = argument.source else { return nil }
            return PodVolume {
                $0.name = memoryName(index)
                $0.emptyDir = EmptyDirVolume {
                    $0.medium = .MEMORY
                    $0.sizeLimitBytes = size?.bytes ?? 0
                }
            }
        }
    }

    /// A volume that is only read may be in several pods at once.
    private static func persistent(_ arguments: [MountArgument]) -> [PodVolume] {
        var isReadOnly: [String: Bool] = [:]
        for argument in arguments {
            guard case .volume(let name) = argument.source else { continue }
            isReadOnly[name] = (isReadOnly[name] ?? true) && argument.readOnly
        }
        return isReadOnly.sorted { $0.key < $1.key }.map { name, isReadOnly in
            PodVolume {
                $0.name = name
                $0.persistent = PersistentVolume {
                    $0.volume = name
                    $0.accessMode = isReadOnly ? .MULTI_READER : .SINGLE_WRITER
                }
            }
        }
    }

    private static func memoryName(_ index: Int) -> String { "tmpfs-\(index)" }
}
