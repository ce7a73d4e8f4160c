import CarpelCore
import CarpelNetlink
import CarpelPluginSDK
import Foundation

/// Runs any chain of CNI plugins for Carpel's pods.
public final class CNIPlugin: NetworkPlugin {
    let configuration: Configuration
    let machineGroup: UInt32
    let networks: NetworkConfigurations
    let programs: CNIPrograms
    let store: AttachmentStore
    let versions = CNIVersions()
    let turns = Turns()
    let hostPorts = HostPorts()

    public init(environment: PluginEnvironment) async throws {
        configuration = try Configuration(text: environment.configuration)
        machineGroup = environment.machineGroup
        networks = NetworkConfigurations(given: configuration.networks, folder: configuration.configurationFolder)
        programs = CNIPrograms(
            folders: configuration.binaryFolders, timeoutSeconds: configuration.pluginTimeoutSeconds)
        store = try AttachmentStore(stateFolder: environment.stateFolder)
        // A CNI plugin that does not read what it is told must not end this process.
        signal(SIGPIPE, SIG_IGN)
    }

    public func add(_ request: NetworkAddRequest) async throws -> NetworkAttachment {
        try await told { try await attach(request) }
    }

    public func delete(_ request: NetworkDeleteRequest) async throws {
        try await told { _ = try await detach(request) }
    }

    public func check(_ request: NetworkCheckRequest) async throws {
        try await told { try await verify(request) }
    }

    public func collectGarbage(_ request: NetworkCollectRequest) async throws -> NetworkCollectResponse {
        try await told { try await collect(request) }
    }

    public func status() async throws {
        try await told { try await verifyReadiness() }
    }

    /// Every error in the caller's words.
    private func told<Value>(_ verb: () async throws -> Value) async throws -> Value {
        do {
            return try await verb()
        } catch let failure as CNIFailure {
            throw failure.pluginError
        } catch let error as NetlinkError {
            let isRefused = error.errorCode == EPERM || error.errorCode == EACCES
            throw PluginError(
                isRefused ? .permissionDenied : .internal, isRefused ? "privilegeMissing" : "linksFailed", "\(error)")
        }
    }
}
