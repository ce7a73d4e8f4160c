import CarpelAPI
import CarpelCore
import CarpelImages
import CarpelMachines
import CarpelPlugins
import Foundation
import Logging

/// The node: its pods, containers and images. One method a verb of the socket, each in the file of its name.
public actor Runtime {
    nonisolated let environment: PodEnvironment
    nonisolated let pendingStreams = PendingStreams()
    var pods: [String: PodSandbox] = [:]
    private var podIDs: [String: String] = [:]
    private var telling: Task<Void, Never>?
    /// The node's ranges of pod addresses, as UpdateRuntimeConfig told them; empty before.
    var podRange = ""

    nonisolated var images: ImageStore { environment.images }
    nonisolated var logger: Logger { environment.logger }

    init(environment: PodEnvironment) {
        self.environment = environment
    }

    /// Opens what is on disk, connects to the hypervisor and picks up the pods that are running.
    ///
    /// - Throws: `CarpelError` if the node cannot run pods at all; the message says what to do.
    public static func start(
        paths: NodePaths, configuration: DaemonConfiguration, logger: Logger
    ) async throws -> Runtime {
        try makeFolders(paths)
        var machines = configuration.machines
        machines.stateDirectory = paths.machines
        let hypervisor = try await LibvirtHypervisor.open(machines, logger: logger)
        let events = NodeEvents()
        var hosting = try hosting(paths, configuration)
        hosting.changed = { events.markStale(.PLUGIN, .VOLUME) }
        let plugins = Plugins(hosting, logger: logger)
        await plugins.start()
        let environment = PodEnvironment(
            store: try Store(path: paths.database, logger: logger),
            hypervisor: hypervisor,
            images: try await ImageStore(root: paths.images, configuration: configuration.images, logger: logger),
            plugins: plugins,
            paths: paths,
            scratch: ScratchDisks(templates: paths.scratchTemplates, size: configuration.pods.scratchSize),
            configuration: configuration,
            connectGuest: { try await GuestConnection.connect(socketPath: $0, timeout: $1, logger: logger) },
            logger: logger, events: events)
        let runtime = Runtime(environment: environment)
        try await runtime.recover()
        return runtime
    }

    private static func hosting(_ paths: NodePaths, _ configuration: DaemonConfiguration) throws -> PluginHosting {
        let plugins = configuration.plugins
        let groupName = configuration.machines.qemuGroup
        guard let group = getgrnam(groupName) else {
            throw CarpelError(
                .failedPrecondition, "qemuGroupMissing",
                "there is no group \(groupName); make it with 'groupadd --system \(groupName)'")
        }
        var limits = PluginLimits()
        limits.memory = plugins.memoryLimit
        limits.processes = plugins.processLimit
        limits.call = .seconds(plugins.callTimeoutSeconds)
        limits.copy = .seconds(plugins.copyTimeoutSeconds)
        return PluginHosting(
            folders: plugins.folders, hostExecutable: plugins.host.isEmpty ? try hostBesideDaemon() : plugins.host,
            account: plugins.user, machineGroup: group.pointee.gr_gid, stateRoot: paths.plugins,
            configurations: plugins.configurations, limits: limits)
    }

    private static func hostBesideDaemon() throws -> String {
        let daemon = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: daemon).deletingLastPathComponent().appending(path: "carpel-plugin-host").path
    }

    static func makeFolders(_ paths: NodePaths) throws {
        for folder in [paths.root, paths.state, paths.pods, paths.podStates, paths.sharedFolders] {
            // QEMU's unprivileged user passes through to the disks and sockets; it cannot list.
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        }
    }

    /// Lets go of the machines, which run on.
    public func close() async {
        telling?.cancel()
        for pod in pods.values { await pod.letGo() }
        await environment.plugins.close()
        await environment.hypervisor.close()
        environment.store.close()
    }

    func startTellingChanges() {
        telling = Task { await self.tellChanges() }
    }

    // MARK: Finding

    func add(_ pod: PodSandbox, name: String) {
        pods[pod.id] = pod
        podIDs[name] = pod.id
    }

    func forget(_ id: String) {
        pods[id] = nil
        podIDs = podIDs.filter { $0.value != id }
    }

    func pod(named name: String) -> PodSandbox? {
        podIDs[name].flatMap { pods[$0] }
    }

    /// The pod with this id or, if only one has it, this beginning of an id.
    func findPod(_ id: String) throws -> PodSandbox? {
        guard !id.isEmpty else { throw CarpelError.missing("podSandboxId") }
        if let pod = pods[id] { return pod }
        let candidates = pods.values.filter { $0.id.hasPrefix(id) }
        guard candidates.count < 2 else { throw ambiguous(id, field: "podSandboxId") }
        return candidates.first
    }

    func requirePod(_ id: String) throws -> PodSandbox {
        guard let pod = try findPod(id) else { throw CarpelError.podNotFound(id) }
        return pod
    }

    /// The container with this id or beginning of an id, and its pod.
    func findContainer(_ id: String) async throws -> (pod: PodSandbox, id: String)? {
        guard !id.isEmpty else { throw CarpelError.missing("containerId") }
        var candidates: [(pod: PodSandbox, id: String)] = []
        for pod in pods.values {
            for containerID in await pod.containers.keys where containerID.hasPrefix(id) {
                if containerID == id { return (pod, id) }
                candidates.append((pod, containerID))
            }
        }
        guard candidates.count < 2 else { throw ambiguous(id, field: "containerId") }
        return candidates.first
    }

    func requireContainer(_ id: String) async throws -> (pod: PodSandbox, id: String) {
        guard let found = try await findContainer(id) else { throw CarpelError.containerNotFound(id) }
        return found
    }

    private func ambiguous(_ id: String, field: String) -> CarpelError {
        CarpelError(.invalidArgument, "idAmbiguous", "several ids begin with \"\(id)\"; give more of it", field: field)
    }
}
