import CarpelNetlink
import CarpelPluginSDK
import GRDB

@_cdecl("carpel_plugin")
public func carpelPlugin() -> UnsafeRawPointer { export(network: BridgePlugin.self) }

/// Puts pods on Linux bridges.
///
/// One verb at a time: the kernel makes and deletes devices one after the other anyway.
public actor BridgePlugin: NetworkPlugin {
    nonisolated let configuration: BridgeConfiguration
    nonisolated let ledger: Ledger
    private let environment: PluginEnvironment
    private let ownership: Ownership
    private let lock: FileLock
    private let thread: NetworkThread
    /// Opened by the first verb, on the thread that the verbs run on.
    private var host: HostNetwork?

    public init(environment: PluginEnvironment) async throws {
        try self.init(environment: environment, namespace: nil)
    }

    /// - Parameter namespace: the network namespace to work in; nil: the process'.
    init(environment: PluginEnvironment, namespace: NetworkNamespace?) throws {
        self.environment = environment
        configuration = try BridgeConfiguration(json: environment.configuration)
        ownership = Ownership(stateFolder: environment.stateFolder)
        ledger = try Ledger(path: "\(environment.stateFolder)/records.sqlite", owner: ownership.id)
        lock = try FileLock(path: "\(environment.stateFolder)/lock")
        thread = try NetworkThread(name: "network-bridge", namespace: namespace)
        try configuration.refuseChangesUnder(ledger.attachments())
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Runs one verb, alone among all processes that have the state folder.
    ///
    /// - Throws: ``PluginError`` or `CancellationError`, whatever `body` throws.
    func perform<Result>(_ body: (HostNetwork) throws -> Result) throws -> Result {
        try Task.checkCancellation()
        do {
            return try lock.hold { try body(opened()) }
        } catch let error as NetlinkError {
            throw PluginError(.internal, "kernelRefused", "\(error)")
        } catch let error as SysctlError {
            throw PluginError(.failedPrecondition, "settingRefused", "\(error)")
        } catch let error as NftablesError {
            throw PluginError(.internal, "rulesRefused", "\(error)")
        } catch let error as DatabaseError {
            throw PluginError(.internal, "recordsRefused", "the records in \(environment.stateFolder): \(error)")
        }
    }

    private func opened() throws -> HostNetwork {
        if let host { return host }
        let host = try HostNetwork(
            networks: configuration.networks.values.sorted { $0.name < $1.name },
            ownership: ownership, machineGroup: environment.machineGroup)
        // Another version may have written them, or the node has been started anew.
        try host.replaceRules(with: ledger.attachments())
        self.host = host
        return host
    }
}
