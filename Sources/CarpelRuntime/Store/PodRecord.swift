import CarpelAPI
import GRDB

/// A pod on disk: what was asked, what was done and what was observed.
struct PodRecord: Codable, Sendable, FetchableRecord, PersistableRecord, Identifiable {
    static let databaseTableName = "pod"

    enum Phase: String, Codable, Sendable {
        /// Being made: after a crash it is undone.
        case creating
        case ready
        /// Being stopped: after a crash the stop is finished.
        case stopping
        case stopped
        /// Being removed: after a crash the removal is finished.
        case removing
    }

    var id: String
    /// Name, namespace, uid and attempt: unique.
    var name: String
    var runtimeHandler: String
    /// The request, verbatim.
    var config: PodSandboxConfig
    /// Nanoseconds since 1970.
    var createdAt: Int64
    var phase: Phase
    var virtualCPUs: Int
    var memoryBytes: Int64
    var timeline: [TimelineStep]
    /// What an undo or a stop could not give back; it is tried again with the next stop or removal.
    var leftovers: [String]
    /// The networks that the pod is on, or may be on while its plugin is at work.
    var networks: [AttachedNetwork]
    /// The plugins' volumes that the pod has, or may have while their plugin is at work.
    var volumes: [PublishedVolume]
    /// Why the pod is not ready although nobody stopped it.
    var failure: String
    /// What an update has made of the request's resources; nil if there was none.
    var resources: LinuxContainerResources?

    static func name(of metadata: PodSandboxMetadata) -> String {
        [metadata.name, metadata.namespace, metadata.uid, String(metadata.attempt)].joined(separator: "_")
    }
}
