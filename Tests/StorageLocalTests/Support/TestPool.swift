import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import StorageLocal

/// A pool of a test's own, and the plugin on it.
struct TestPool: Sendable {
    let folder: TemporaryFolder
    let stateFolder: String
    let configuration: String
    let plugin: StorageLocal

    /// No account is in it: what a file has it for, the plugin gave it.
    static let machineGroup: UInt32 = 54321
    /// `{"capacityBytes": …}` for most tests: what the machine has must not matter.
    static let roomy = #"{"capacityBytes": 10737418240}"#

    init(_ configuration: String = Self.roomy, in folder: TemporaryFolder? = nil) async throws {
        try await self.init(configuration, in: folder ?? TemporaryFolder(), group: Self.machineGroup)
    }

    private init(_ configuration: String, in folder: TemporaryFolder, group: UInt32) async throws {
        self.folder = folder
        self.configuration = configuration
        stateFolder = "\(folder.path)/state"
        try FileManager.default.createDirectory(atPath: stateFolder, withIntermediateDirectories: true)
        plugin = try await StorageLocal(
            environment: PluginEnvironment(
                name: "storage-local", stateFolder: stateFolder, configuration: Array(configuration.utf8),
                machineGroup: group))
    }

    /// Another process of the plugin on the same pool, as after a crash: it shares nothing with this one but the files.
    func restarted(_ configuration: String? = nil) async throws -> TestPool {
        try await TestPool(configuration ?? self.configuration, in: folder)
    }

    var path: String { plugin.pool.folders.pool }

    /// A volume's disk, published or not.
    func disk(_ volume: Volume) throws -> String {
        plugin.pool.folders.volumes.disk(of: try plugin.pool.volume(volume.id))
    }

    func disk(_ snapshot: Snapshot) throws -> String {
        plugin.pool.folders.snapshots.disk(of: try plugin.pool.snapshot(snapshot.id))
    }

    /// The pool's files that are not records, locks or marks.
    func files() throws -> [String] {
        try ["volumes", "snapshots", "temporary"].flatMap { part in
            try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(part)").map { "\(part)/\($0)" }
        }.filter { !$0.hasSuffix(".json") || $0.hasPrefix("temporary/") }.sorted()
    }

    // MARK: Verbs in short

    func create(
        _ name: String, _ capacityBytes: Int64 = 16 << 20, from source: VolumeSource? = nil,
        mode: VolumeMode = .block, _ parameters: [String: String] = [:]
    ) async throws -> Volume {
        try await plugin.createVolume(
            CreateVolumeRequest(
                name: name, capacityBytes: capacityBytes, source: source, mode: mode, parameters: parameters))
    }

    func delete(_ volume: Volume) async throws {
        try await plugin.deleteVolume(DeleteVolumeRequest(volumeID: volume.id))
    }

    func expand(_ volume: Volume, to bytes: Int64) async throws -> ExpandVolumeResponse {
        try await plugin.expandVolume(ExpandVolumeRequest(volumeID: volume.id, capacityBytes: bytes))
    }

    func publish(
        _ volume: Volume, to pod: String, _ mode: VolumeAccessMode = .singleWriter
    ) async throws -> VolumePublication {
        try await plugin.publishVolume(PublishVolumeRequest(volumeID: volume.id, podID: pod, accessMode: mode))
    }

    func unpublish(_ volume: Volume, from pod: String) async throws {
        try await plugin.unpublishVolume(UnpublishVolumeRequest(volumeID: volume.id, podID: pod))
    }

    func snapshot(_ volume: Volume, named name: String) async throws -> Snapshot {
        try await plugin.createSnapshot(CreateSnapshotRequest(name: name, sourceVolumeID: volume.id))
    }

    func restore(_ volume: Volume, to snapshot: Snapshot) async throws -> Volume {
        try await plugin.restoreVolume(RestoreVolumeRequest(volumeID: volume.id, snapshotID: snapshot.id))
    }

    func listed(_ volume: Volume) async throws -> Volume? {
        try await plugin.listVolumes().volumes.first { $0.id == volume.id }
    }
}

/// Expects a verb to fail with a reason.
func expectFailure(
    _ reason: String, sourceLocation: SourceLocation = #_sourceLocation, _ verb: () async throws -> some Sendable
) async {
    do {
        _ = try await verb()
        Issue.record("it succeeded, and should have failed with \(reason)", sourceLocation: sourceLocation)
    } catch let error as PluginError {
        #expect(error.reason == reason, "\(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}
