import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport

/// A real carpeld on folders of its own.
final class Node: @unchecked Sendable {
    // `daemon` changes only in restart and kill, which a test calls from one task.
    private var daemon: ChildProcess
    let folder: TemporaryFolder
    let configuration: String
    private let network: TestNetwork?

    var root: String { "\(folder.path)/root" }
    var state: String { "\(folder.path)/state" }
    var socket: String { "\(state)/carpel.sock" }
    var log: String { daemon.log }
    var processID: Int32 { daemon.processID }

    /// - Parameters:
    ///   - settings: YAML that goes on top of a configuration for this machine.
    ///   - network: the namespace that the daemon runs in; nil for the test's own.
    init(
        registry: Registry? = nil, settings: String = "", folder: TemporaryFolder? = nil, network: TestNetwork? = nil
    ) async throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        self.network = network
        var yaml = "version: 1\n"
        if !settings.contains("guest:") {
            let guest = try await GuestFiles(in: folder)
            yaml += "guest: { kernel: \(guest.kernel), initramfs: \(guest.initramfs) }\n"
        }
        if !settings.contains("networks:") { yaml += "networks: { default: none }\n" }
        if let registry {
            yaml += "images: { registries: { \"\(registry.address)\": { scheme: http } } }\n"
        }
        configuration = try folder.file("carpeld.yaml", yaml + settings)
        daemon = try Self.start(in: folder, configuration, network)
        try await waitUntilReady()
    }

    private static func start(
        in folder: TemporaryFolder, _ configuration: String, _ network: TestNetwork?
    ) throws -> ChildProcess {
        let daemon = "\(repository)/.build/debug/carpeld"
        return try ChildProcess(
            network == nil ? daemon : "/usr/bin/nsenter",
            (network.map { ["--net=\($0.path)", daemon] } ?? []) + [
                "--root", "\(folder.path)/root", "--state", "\(folder.path)/state", "--config", configuration,
                "--log-level", "debug",
            ],
            log: "\(folder.path)/carpeld.log")
    }

    private func waitUntilReady() async throws {
        try await eventually("carpeld listens", within: .seconds(60)) {
            guard daemon.isRunning else { throw SupportError("carpeld ended: \(daemon.log)") }
            guard let client = try? await CarpelClient.connect(socketPath: socket) else { return false }
            return (try? await client.call(Methods.version, VersionRequest())) != nil
        }
    }

    func connect() async throws -> CarpelClient {
        try await CarpelClient.connect(socketPath: socket)
    }

    /// As if the power had been taken from the daemon alone.
    func killDaemon() async throws {
        try await daemon.end(SIGKILL)
    }

    func startDaemon() async throws {
        daemon = try Self.start(in: folder, configuration, network)
        try await waitUntilReady()
    }

    /// Removes every pod and ends the daemon.
    func shutDown() async throws {
        if daemon.isRunning {
            let client = try await connect()
            for pod in try await client.pods() {
                _ = try await client.call(
                    Methods.removePodSandbox, RemovePodSandboxRequest { $0.podSandboxId = pod.id })
            }
            try await daemon.end()
        }
    }

    /// QEMU processes that run from this node's folders.
    func machineProcesses() async throws -> [Int32] {
        try await shell(
            "grep -lsa -- \"$1\" /proc/[0-9]*/cmdline | xargs -r -n1 dirname | xargs -r -n1 basename; true", root
        )
        .split(separator: "\n").compactMap { Int32($0) }.filter { id in
            let name = (try? String(contentsOfFile: "/proc/\(id)/comm", encoding: .utf8)) ?? ""
            return name.hasPrefix("qemu")
        }
    }

    /// Runs `body` on a fresh node, and fails it together with the daemon's log.
    static func with(
        registry: Registry? = nil, settings: String = "", folder: TemporaryFolder? = nil,
        network: TestNetwork? = nil, _ body: (Node, CarpelClient) async throws -> Void
    ) async throws {
        let node = try await Node(registry: registry, settings: settings, folder: folder, network: network)
        do {
            try await body(node, try await node.connect())
            try await node.shutDown()
        } catch {
            let log = node.log.split(separator: "\n").suffix(40).joined(separator: "\n")
            for process in try await node.machineProcesses() { kill(process, SIGKILL) }
            throw SupportError("\(error)\n--- carpeld:\n\(log)")
        }
    }
}

/// The image and the registry that the system tests share; made once.
actor Fixtures {
    static let shared = Fixtures()
    private var made: Task<(registry: Registry, image: String), any Error>?
    private var image: Task<BusyboxImage, any Error>?

    /// The image's OCI layout.
    func layout() async throws -> String { try await busybox().layout }

    private func busybox() async throws -> BusyboxImage {
        let making =
            image
            ?? Task {
                let image = try await BusyboxImage(adding: ["/usr/bin/flock", "/usr/bin/sqlite3"])
                atProcessEnd { image.remove() }
                return image
            }
        image = making
        return try await making.value
    }

    func get() async throws -> (registry: Registry, image: String) {
        if let made { return try await made.value }
        let task = Task {
            let registry = try await Registry()
            atProcessEnd { registry.remove() }
            return (registry: registry, image: try await registry.push(try await self.busybox(), as: "test/busybox:1"))
        }
        made = task
        return try await task.value
    }
}
