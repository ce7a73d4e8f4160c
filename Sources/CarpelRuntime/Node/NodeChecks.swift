import CarpelAPI
import CarpelCore
import CarpelMachines
import CarpelPlugins
import Foundation

/// Everything that a pod's start needs on this node, looked at without changing anything.
///
/// `carpel doctor` shows it, by way of the daemon or, where none runs, of `carpeld --check`.
public struct NodeChecks: Sendable {
    /// Below this a pod's start is likely to run out of space.
    private static let leastFreeSpace = ByteCount.gibibytes(1)
    /// A machine takes about ten descriptors of the daemon.
    private static let leastOpenFiles: UInt64 = 1024

    private let paths: NodePaths
    private let configuration: DaemonConfiguration

    private let hypervisor: LibvirtHypervisor?

    /// - Parameter hypervisor: the daemon's own, which alone tells versions.
    public init(paths: NodePaths, configuration: DaemonConfiguration, hypervisor: LibvirtHypervisor? = nil) {
        self.paths = paths
        self.configuration = configuration
        self.hypervisor = hypervisor
    }

    public func run() async -> [DoctorCheck] {
        var machines = configuration.machines
        machines.stateDirectory = paths.machines
        let checks = MachineChecks(
            machines, kernel: configuration.guest.kernel, initramfs: configuration.guest.initramfs)
        return await checks.run(hypervisor).map(DoctorCheck.init) + [scratchFormatter, space, openFiles, adminGroup]
    }

    private var scratchFormatter: DoctorCheck {
        let found = FileManager.default.isExecutableFile(atPath: ScratchDisks.formatter)
        return DoctorCheck {
            $0.name = "scratchFormatter"
            $0.outcome = found ? .PASSED : .FAILED
            $0.finding = found ? ScratchDisks.formatter : "there is no \(ScratchDisks.formatter)"
            $0.fix = found ? "" : "install e2fsprogs"
        }
    }

    private var space: DoctorCheck {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: existingFolder(of: paths.root))
        let free = (attributes?[.systemFreeSize] as? NSNumber).map { ByteCount($0.int64Value) }
        let isEnough = (free ?? ByteCount(0)) > Self.leastFreeSpace
        return DoctorCheck {
            $0.name = "space"
            $0.outcome = isEnough ? .PASSED : .WARNING
            $0.finding = "\(free?.description ?? "an unknown number of bytes") free for \(paths.root)"
            $0.fix = isEnough ? "" : "free at least \(Self.leastFreeSpace), or choose another --root"
        }
    }

    private func existingFolder(of path: String) -> String {
        var folder = path
        while !FileManager.default.fileExists(atPath: folder) {
            folder = (folder as NSString).deletingLastPathComponent
        }
        return folder
    }

    private var openFiles: DoctorCheck {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let isEnough = limit.rlim_cur >= Self.leastOpenFiles
        return DoctorCheck {
            $0.name = "openFiles"
            $0.outcome = isEnough ? .PASSED : .WARNING
            $0.finding = "at most \(limit.rlim_cur) open files"
            $0.fix = isEnough ? "" : "raise the limit to \(Self.leastOpenFiles) or more (ulimit -n, LimitNOFILE=)"
        }
    }

    private var adminGroup: DoctorCheck {
        let name = configuration.socket.adminGroup
        let exists = getgrnam(name) != nil
        return DoctorCheck {
            $0.name = "adminGroup"
            $0.outcome = exists ? .PASSED : .WARNING
            $0.finding =
                exists
                ? "members of \(name) may use the socket" : "there is no group \(name): only root may use the socket"
            $0.fix = exists ? "" : "groupadd --system \(name)"
        }
    }
}

extension DoctorCheck {
    fileprivate init(_ check: MachineCheck) {
        self.init()
        name = check.name
        outcome =
            switch check.level {
            case .ok: .PASSED
            case .warn: .WARNING
            case .fail: .FAILED
            }
        finding = check.what
        fix = check.fix ?? ""
    }
}

extension Runtime {
    public nonisolated func doctor(_ request: DoctorRequest) async throws -> DoctorResponse {
        let unreadable = try await unreadableRecords()
        let records = DoctorCheck {
            $0.name = "records"
            $0.outcome = unreadable.isEmpty ? .PASSED : .FAILED
            $0.finding = unreadable.isEmpty ? "every record can be read" : unreadable.joined(separator: "; ")
            $0.fix =
                unreadable.isEmpty
                ? "" : "look at the file with sqlite3; nothing is collected until it is mended or moved away"
        }
        let checks = await NodeChecks(
            paths: environment.paths, configuration: environment.configuration,
            hypervisor: environment.hypervisor as? LibvirtHypervisor
        ).run()
        let plugins = await environment.plugins.list().map(DoctorCheck.init)
        return DoctorResponse { $0.checks = checks + [records] + plugins }
    }
}

extension DoctorCheck {
    fileprivate init(_ plugin: PluginStatus) {
        let info = PluginInfo(plugin)
        self.init()
        name = "plugin \(plugin.name)"
        switch info.state {
        case .READY:
            outcome = plugin.limitsMissing.isEmpty ? .PASSED : .WARNING
            finding = (["version \(info.version) is ready"] + plugin.limitsMissing).joined(separator: "; ")
        case .STARTING: (outcome, finding) = (.PASSED, "is starting")
        case .BACKING_OFF, .FAILED:
            (outcome, finding) = (.FAILED, "\(plugin.path): \(info.message)")
            fix = "mend it and run 'carpel plugin reload \(plugin.name)', or take its folder away"
        }
    }
}
