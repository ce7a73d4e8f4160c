import CarpelClient
import CarpelCore
import CarpelImages
import CarpelMachines
import CarpelPlugins
import Foundation
import Logging
import TestSupport

@testable import CarpelRuntime
@testable import CarpelServer

/// What a scenario runs on; it speaks to either over a socket.
enum WorldKind: String, CaseIterable {
    case fakeMachines, realMachines
}

/// A node that a scenario can restart and look into.
protocol World: Sendable {
    var paths: NodePaths { get }
    func connect() async throws -> CarpelClient
    /// As if the daemon had been killed and started again; machines live on.
    func restartDaemon() async throws
    func machineCount() async throws -> Int
    func killMachine(of pod: String) async throws
    /// A command that exits with this code.
    func command(exitingWith code: Int32) -> [String]
    func shutDown() async throws
}

/// The daemon in the test's own process, on fake machines.
actor FakeNode: World {
    nonisolated let hypervisor = FakeHypervisor()
    nonisolated let paths: NodePaths
    private let folder: TemporaryFolder
    private var daemon: (runtime: Runtime, serving: Task<Void, any Error>)?

    init() async throws {
        folder = try TemporaryFolder()
        paths = NodePaths(root: "\(folder.path)/root", state: "\(folder.path)/state")
        try await startDaemon()
    }

    func startDaemon(_ socket: SocketConfiguration = SocketConfiguration()) async throws {
        let runtime = try await makeRuntime()
        let server = try await Server(path: paths.socket, runtime: runtime, configuration: socket, logger: Self.logger)
        daemon = (runtime, Task { try await server.run() })
    }

    /// Few, so that a test can exceed them.
    static let eventsKept = 64

    private static let logger: Logger = {
        var logger = Logger(label: "fake node")
        logger.logLevel = .critical
        return logger
    }()

    private func makeRuntime() async throws -> Runtime {
        var configuration = DaemonConfiguration()
        configuration.networks = ["default": DaemonConfiguration.noNetwork]
        let hypervisor = hypervisor
        try Runtime.makeFolders(paths)
        let environment = PodEnvironment(
            store: try Store(path: paths.database, logger: Self.logger), hypervisor: hypervisor,
            images: try await ImageStore(root: paths.images, configuration: configuration.images, logger: Self.logger),
            plugins: Plugins(
                PluginHosting(folders: [], hostExecutable: "", machineGroup: 0, stateRoot: paths.plugins),
                logger: Self.logger),
            paths: paths,
            scratch: ScratchDisks(templates: paths.scratchTemplates, size: configuration.pods.scratchSize),
            configuration: configuration,
            connectGuest: { channel, _ in
                guard let guest = await hypervisor.guest(atChannel: channel) else {
                    throw CarpelError(.unavailable, "agentSilent", "no such machine")
                }
                return guest
            },
            logger: Self.logger, events: NodeEvents(kept: Self.eventsKept))
        let runtime = Runtime(environment: environment)
        try await runtime.recover()
        return runtime
    }

    nonisolated func guest(of pod: String) async -> FakeGuest? { await hypervisor.machines[pod]?.guest }

    func stopDaemon() async throws {
        guard let daemon else { return }
        daemon.serving.cancel()
        _ = await daemon.serving.result
        await daemon.runtime.close()
        self.daemon = nil
    }

    /// The names of the socket's methods.
    func methods() -> [String] { daemon.map { MethodTable($0.runtime).names } ?? [] }

    func restartDaemon() async throws {
        try await stopDaemon()
        try await startDaemon()
    }

    nonisolated func connect() async throws -> CarpelClient { try await CarpelClient.connect(socketPath: paths.socket) }
    nonisolated func machineCount() async throws -> Int { await hypervisor.machines.count }
    nonisolated func killMachine(of pod: String) async throws { await hypervisor.machines[pod]?.die() }
    nonisolated func command(exitingWith code: Int32) -> [String] { ["exit", "\(code)"] }
    func shutDown() async throws { try await stopDaemon() }
}

extension Node: World {
    var paths: NodePaths { NodePaths(root: root, state: state) }

    func restartDaemon() async throws {
        try await killDaemon()
        try await startDaemon()
    }

    func machineCount() async throws -> Int { try await machineProcesses().count }
    func killMachine(of pod: String) async throws {
        for process in try await machineProcesses() { kill(process, SIGKILL) }
    }
    func command(exitingWith code: Int32) -> [String] { ["sh", "-c", "exit \(code)"] }
}

/// Runs a scenario on a fresh node that has the test image.
func withWorld(_ kind: WorldKind, _ scenario: (any World, CarpelClient) async throws -> Void) async throws {
    switch kind {
    case .realMachines:
        try await Node.with { node, client in
            try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
            try await scenario(node, client)
        }
    case .fakeMachines:
        try await withFakeNode { try await scenario($0, $1) }
    }
}

/// Runs a test on a fresh node with fake machines that has the test image.
func withFakeNode(_ body: (FakeNode, CarpelClient) async throws -> Void) async throws {
    let node = try await FakeNode()
    do {
        let client = try await node.connect()
        try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
        try await body(node, client)
    } catch {
        try await node.shutDown()
        throw error
    }
    try await node.shutDown()
}

/// The name of the image that scenarios run.
let testImage = "busybox:test"
