import CarpelAPI
import CarpelCore
import CarpelImages
import CarpelMachines
import Foundation
import Logging
import TestSupport

@testable import CarpelRuntime

/// What a scenario runs on.
enum WorldKind: String, CaseIterable, CustomTestStringConvertible {
    case fakeMachines, realMachines
    var testDescription: String { rawValue }
}

/// A node in the test's own process.
final class World: Sendable {
    let folder: TemporaryFolder
    let fake: FakeHypervisor?
    /// A reference to an image whose layer holds busybox.
    let image = "busybox:test"

    private init(_ kind: WorldKind) throws {
        folder = try TemporaryFolder()
        fake = kind == .fakeMachines ? FakeHypervisor() : nil
    }

    var paths: NodePaths { NodePaths(root: "\(folder.path)/root", state: "\(folder.path)/state") }

    /// A command that runs until it is signalled, in either world.
    var longCommand: [String] { ["sleep", "1000"] }

    func command(exitingWith code: Int32) -> [String] {
        fake == nil ? ["sh", "-c", "exit \(code)"] : ["exit", "\(code)"]
    }

    /// Starts the node again on what is on disk, as a new daemon would.
    func startRuntime(configuration: DaemonConfiguration? = nil) async throws -> Runtime {
        let configuration = configuration ?? Self.configuration()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        guard let fake else { return try await Runtime.start(paths: paths, configuration: configuration, logger: logger) }
        try Runtime.makeFolders(paths)
        let environment = PodEnvironment(
            store: try Store(path: paths.database, logger: logger), hypervisor: fake,
            images: try await ImageStore(root: paths.images, configuration: configuration.images, logger: logger),
            paths: paths,
            scratch: ScratchDisks(templates: paths.scratchTemplates, size: configuration.pods.scratchSize),
            configuration: configuration,
            connectGuest: { channel, _ in
                guard let guest = await fake.guest(atChannel: channel) else {
                    throw CarpelError(.unavailable, "agentSilent", "no such machine")
                }
                return guest
            },
            logger: logger)
        let runtime = Runtime(environment: environment)
        try await runtime.recover()
        return runtime
    }

    static func configuration() -> DaemonConfiguration {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        var configuration = DaemonConfiguration()
        configuration.guest.kernel = "\(sources)/.build/guest/vmlinux"
        configuration.guest.initramfs = "\(sources)/.build/guest/initramfs.cpio"
        return configuration
    }

    /// Runs a scenario on a node that has the test image, and takes everything down after it.
    static func with(_ kind: WorldKind, _ scenario: (World, Runtime) async throws -> Void) async throws {
        let world = try World(kind)
        let runtime = try await world.startRuntime()
        _ = try await runtime.images.importArchive(try await SharedImage.shared.layout(), name: world.image)
        do { try await scenario(world, runtime) } catch {
            try await world.tearDown()
            throw error
        }
        try await world.tearDown()
    }

    private func tearDown() async throws {
        let runtime = try await startRuntime()
        for pod in try await runtime.listPodSandbox(ListPodSandboxRequest()).items {
            _ = try await runtime.removePodSandbox(RemovePodSandboxRequest { $0.podSandboxId = pod.id })
        }
        await runtime.close()
    }
}

/// The test image's OCI layout, made once.
private actor SharedImage {
    static let shared = SharedImage()
    private var making: Task<BusyboxImage, any Error>?

    func layout() async throws -> String {
        if making == nil { making = Task { try await BusyboxImage() } }
        guard let image = try await making?.value else { throw SupportError("no image") }
        return image.layout
    }
}
