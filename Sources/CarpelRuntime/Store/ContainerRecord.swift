import CarpelAPI
import Foundation
import GRDB

/// A container on disk.
struct ContainerRecord: Codable, Sendable, FetchableRecord, PersistableRecord, Identifiable {
    static let databaseTableName = "container"

    enum Phase: Codable, Sendable, Equatable {
        /// Being made: after a crash it is undone.
        case creating
        case created
        /// Being started: after a crash the guest knows what became of it.
        case starting
        case running(since: Int64)
        case exited(Exit)
        /// Being removed: after a crash the removal is finished.
        case removing(last: Exit?)
    }

    struct Exit: Codable, Sendable, Equatable {
        var code: Int32
        /// Nanoseconds since 1970; 0 if it never ran.
        var startedAt: Int64
        var finishedAt: Int64
        var reason: String
        var message: String
    }

    var id: String
    var podID: String
    /// Name and attempt: unique in the pod.
    var name: String
    /// The request, verbatim.
    var config: ContainerConfig
    var imageID: String
    /// The image's repository digest, or its id if it has none.
    var imageReference: String
    /// Diff ids of the image's layers, bottom first, and after them those of other images that it mounts.
    var layers: [String]
    /// The guest's `ContainerSpec` in CBOR.
    var spec: Data
    var createdAt: Int64
    var phase: Phase
    var logPath: String
    /// Output records below this one are in the log or lost.
    var nextOutput: Int64
    /// What of the output the agent had to drop while nobody listened.
    var lostRecords: Int64
    var lostBytes: Int64
    /// What an update has made of the request's resources; nil if there was none.
    var resources: LinuxContainerResources?

    /// Those that are in force.
    var currentResources: LinuxContainerResources? { resources ?? config.linux?.resources }

    static func name(of metadata: ContainerMetadata) -> String { "\(metadata.name)_\(metadata.attempt)" }
}
