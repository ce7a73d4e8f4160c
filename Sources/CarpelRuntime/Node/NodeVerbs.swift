import CarpelAPI
import CarpelCore
import CarpelMachines
import Foundation

extension Runtime {
    public nonisolated func version(_ request: VersionRequest) -> VersionResponse {
        VersionResponse {
            $0.version = CarpelVersion.kubelet
            $0.runtimeName = CarpelVersion.runtimeName
            $0.runtimeVersion = CarpelVersion.runtime
            $0.runtimeApiVersion = CarpelVersion.api
        }
    }

    public nonisolated func status(_ request: StatusRequest) async throws -> StatusResponse {
        let unreadable = try await unreadableRecords()
        let network = await networkCondition
        let podRange = await podRange
        return try StatusResponse {
            $0.status = RuntimeStatus { $0.conditions = conditions(unreadable, network) }
            $0.runtimeHandlers = ["", Self.runtimeHandler].map { name in
                RuntimeHandler {
                    $0.name = name
                    $0.features = RuntimeHandlerFeatures { $0.recursiveReadOnlyMounts = true }
                }
            }
            $0.features = RuntimeFeatures { $0.supplementalGroupsPolicy = true }
            if request.verbose { $0.info = try info(podRange: podRange) }
        }
    }

    /// Sentences about what is on disk and cannot be read: nothing is collected while there are any.
    nonisolated func unreadableRecords() async throws -> [String] {
        let indexes = try await images.setAside().map {
            "an index of the image store could not be read; it was kept as \($0)"
        }
        return environment.store.unreadable + indexes
    }

    private nonisolated var missingGuestFiles: [String] {
        let guest = environment.configuration.guest
        return [guest.kernel, guest.initramfs].filter { !FileManager.default.isReadableFile(atPath: $0) }
    }

    private nonisolated func conditions(
        _ unreadable: [String], _ network: RuntimeCondition
    ) -> [RuntimeCondition] {
        [
            RuntimeCondition {
                let missing = missingGuestFiles
                $0.type = "RuntimeReady"
                $0.status = missing.isEmpty
                $0.reason = missing.isEmpty ? "" : "GuestMissing"
                $0.message =
                    missing.isEmpty
                    ? "" : "there is no \(missing.joined(separator: " and no ")); carpel doctor tells more"
            },
            network,
            RuntimeCondition {
                $0.type = "RecordsReadable"
                $0.status = unreadable.isEmpty
                $0.reason = unreadable.isEmpty ? "" : "RecordsUnreadable"
                $0.message = unreadable.joined(separator: "; ")
            },
        ]
    }

    /// Whether a pod that names no network can be run. CRI's reasons begin with a capital.
    private nonisolated var networkCondition: RuntimeCondition {
        get async {
            let plugin = environment.configuration.networks["default"] ?? DaemonConfiguration.noNetwork
            let problem = await networkProblem(plugin)
            return RuntimeCondition {
                $0.type = "NetworkReady"
                $0.status = problem == nil
                $0.reason = problem.map { $0.reason.prefix(1).uppercased() + $0.reason.dropFirst() } ?? ""
                $0.message = problem?.message ?? ""
            }
        }
    }

    private nonisolated func info(podRange: String) throws -> [String: String] {
        var configuration = environment.configuration
        // They can hold secrets, and Status is for everybody.
        configuration.plugins.configurations = [:]
        return [
            "config": try jsonText(configuration),
            "accelerator": try jsonText("\(environment.hypervisor.accelerator)"),
            "root": try jsonText(environment.paths.root),
            "state": try jsonText(environment.paths.state),
            "podCidr": try jsonText(podRange),
        ]
    }
}
