import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

/// Counts in memory, on a volume's disk and through a file that stays open on its root's disk.
let countingScript = """
    exec 3>/written; i=0
    while true; do i=$((i+1)); echo $i >/memory/count; echo $i >/disk/count; echo $i >&3; echo $i; usleep 20000; done
    """

/// With a volume in memory and one on a disk.
func countingPod(_ name: String) -> PodSandboxConfig {
    podConfig(name) {
        $0.logDirectory = ""
        $0.carpel = PodSandboxExtension {
            $0.volumes = [
                PodVolume {
                    $0.name = "memory"
                    $0.emptyDir = EmptyDirVolume { $0.medium = .MEMORY }
                },
                PodVolume {
                    $0.name = "disk"
                    $0.emptyDir = EmptyDirVolume { $0.sizeLimitBytes = 16 << 20 }
                },
            ]
        }
    }
}

/// Has both volumes of ``countingPod(_:)``.
func countingContainer(_ name: String, _ command: [String]) -> ContainerConfig {
    containerConfig(name, testImage, command) {
        $0.mounts = ["memory", "disk"].map { volume in
            Mount {
                $0.containerPath = "/\(volume)"
                $0.carpel = MountExtension { $0.volume = volume }
            }
        }
    }
}

/// A node whose pods are on a network of these subnets, and that has the test image.
func withBridgedNode(
    _ subnets: [String] = ["10.88.0.0/16", "fd88::/64"], imported: Bool = true,
    _ body: (Node, CarpelClient, TestNetwork) async throws -> Void
) async throws {
    let network = try await TestNetwork()
    let folder = try TemporaryFolder()
    let plugins = try installPlugins(["network-bridge"], in: folder)
    let ranges = subnets.map { "{ subnet: \"\($0)\" }" }.joined(separator: ", ")
    let settings = """
        networks: { default: network-bridge }
        plugins: { folders: [\(plugins)], configurations: { network-bridge:
            { networks: { default: { subnets: [\(ranges)] } } } } }

        """
    try await Node.with(settings: settings, folder: folder, network: network) { node, client in
        if imported { try await client.importImage(try await Fixtures.shared.layout(), as: testImage) }
        try await body(node, client, network)
    }
    try await network.remove()
}

/// A node that has the test image.
func withPlainNode(settings: String = "", _ body: (Node, CarpelClient) async throws -> Void) async throws {
    try await Node.with(settings: settings) { node, client in
        try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
        try await body(node, client)
    }
}

func wholeNumber(_ text: String) -> Int { Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1 }

func fileNames(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

func expectRefusal(
    _ reason: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    let error = await #expect(throws: CarpelError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.reason == reason, "\(error?.message ?? "")", sourceLocation: sourceLocation)
}

extension Node {
    func newFolder(_ name: String) throws -> String {
        let path = "\(folder.path)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }
}

extension CarpelClient {
    /// How far a counter has come, where it keeps that.
    func count(_ container: String, _ medium: String = "memory") async throws -> Int {
        wholeNumber(try await exec(container, "cat", "/\(medium)/count").out)
    }

    /// Waits until the counter of this container is beyond where it is.
    func goesOn(_ container: String) async throws {
        let now = try await count(container)
        try await eventually("the counter goes on") { try await self.count(container) > now }
    }

    func checkpoint(
        _ pod: String, _ containers: [String], _ folder: String, _ options: [String: String] = [:]
    ) async throws {
        let request = CheckpointPodRequest {
            $0.podSandboxId = pod
            $0.outputPath = folder
            $0.containerIds = containers
            $0.options = options
        }
        _ = try await call(Methods.checkpointPod, request)
    }

    func restore(
        _ folder: String, _ config: PodSandboxConfig, _ containers: [ContainerConfig]
    ) async throws -> RestorePodResponse {
        let request = RestorePodRequest {
            $0.checkpointPath = folder
            $0.config = config
            $0.containerConfigs = containers
        }
        return try await call(Methods.restorePod, request)
    }
}
