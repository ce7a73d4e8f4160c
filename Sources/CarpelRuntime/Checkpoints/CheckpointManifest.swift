import CarpelAPI
import CarpelMachines
import Foundation

/// What a checkpoint holds and what it takes to restore it; a file in the checkpoint's folder, written last.
struct CheckpointManifest: Codable, Sendable {
    static let currentVersion = 1
    static let fileName = "checkpoint.json"
    /// Far more than a pod's configuration can have.
    static let largest = 64 << 20

    /// The format of the folder.
    var version: Int
    /// The version of Carpel, whose agent is in the machine's memory.
    var carpel: String
    /// Nanoseconds since 1970.
    var createdAt: Int64
    /// How long the containers stood still.
    var pausedNanoseconds: Int64
    /// Digests of what the machine had booted.
    var kernel: String
    var initramfs: String
    var machine: MachineShape
    /// The pod's size, of which the machine's follows.
    var virtualCPUs: Int
    var memoryBytes: Int64
    /// The request, verbatim.
    var pod: PodSandboxConfig
    /// What an update had made of the pod's resources; nil if there was none.
    var podResources: LinuxContainerResources?
    var networks: [Network]
    var containers: [Container]
    /// The ids of containers in the machine that did not run; they are not restored.
    var others: [String]
    /// Whose layers the machine has as disks.
    var images: [ImageName]
    /// All files of the folder but this one.
    var files: [File]

    struct Network: Codable, Sendable {
        /// As in `eth0`.
        var interface: String
        var hardwareAddress: String
        var mtu: Int
    }

    struct Container: Codable, Sendable {
        var id: String
        var config: ContainerConfig
        /// What an update had made of the request's resources; nil if there was none.
        var resources: LinuxContainerResources?
        var imageID: String
        var layers: [String]
        /// The guest's `ContainerSpec` in CBOR.
        var spec: Data
        /// The number of the first output record that belongs to the restored container.
        var nextOutput: UInt64

        var name: String { config.metadata?.name ?? "" }
        /// Those that were in force.
        var limits: LinuxContainerResources { resources ?? config.linux?.resources ?? LinuxContainerResources() }
    }

    struct ImageName: Codable, Sendable, Hashable {
        var id: String
        /// For people.
        var reference: String
    }

    struct File: Codable, Sendable {
        var name: String
        var bytes: Int64
        /// Of ``SparseFile/digest(_:_:)``.
        var digest: String
    }
}
