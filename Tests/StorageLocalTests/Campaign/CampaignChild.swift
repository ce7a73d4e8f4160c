import CarpelPluginSDK
import Foundation
import TestSupport

@testable import StorageLocal

/// The process that is killed: workers call verbs without an end, each on its own volumes, and log what they do.
struct CampaignChild: Sendable {
    static let variable = "CARPEL_STORAGE_CAMPAIGN"
    static let workers = 3
    /// Too little for all that the workers want.
    static let configuration = #"{"capacityBytes": 50331648}"#

    /// The campaign's folder, in a child.
    static var folder: String? { ProcessInfo.processInfo.environment[variable] }

    private let plugin: StorageLocal
    private let log: Int32
    private let states: [CampaignState]

    init(folder: String) async throws {
        plugin = try await StorageLocal(
            environment: PluginEnvironment(
                name: "storage-local", stateFolder: "\(folder)/state", configuration: Array(Self.configuration.utf8),
                machineGroup: TestPool.machineGroup))
        log = open("\(folder)/log", O_WRONLY | O_APPEND | O_CLOEXEC)
        states = try JSONDecoder().decode(
            [CampaignState].self, from: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/states")))
    }

    func run() async throws {
        try await withThrowingTaskGroup { group in
            for (worker, state) in states.enumerated() {
                group.addTask(executorPreference: OwnThreads.shared) { try await work(worker, from: state) }
            }
            try await group.waitForAll()
        }
    }

    private func work(_ worker: Int, from initial: CampaignState) async throws {
        var state = initial
        while true {
            let step = state.randomStep(worker: worker)
            try write(CampaignEntry(worker: worker, step: step, phase: .begun))
            do {
                try await perform(step)
                state.apply(step)
                try write(CampaignEntry(worker: worker, step: step, phase: .succeeded))
            } catch {
                let reason = (error as? PluginError)?.reason == "poolFull" ? "poolFull" : "\(error)"
                try write(CampaignEntry(worker: worker, step: step, phase: .refused(reason)))
            }
        }
    }

    /// One write(2): lines of workers do not mix, and a kill leaves whole ones.
    private func write(_ entry: CampaignEntry) throws {
        let line = try JSONEncoder().encode(entry) + Data("\n".utf8)
        guard line.withUnsafeBytes({ Glibc.write(log, $0.baseAddress, $0.count) }) == line.count else {
            throw SupportError("cannot write the log")
        }
    }

    private func perform(_ step: CampaignStep) async throws {
        switch step {
        case .create(let name, let volume, let source):
            _ = try await plugin.createVolume(
                CreateVolumeRequest(
                    name: name, capacityBytes: volume.capacityBytes, source: try source.map(volumeSource),
                    mode: volume.mode, parameters: ["format": volume.format.rawValue]))
        case .delete(let name): try await plugin.deleteVolume(DeleteVolumeRequest(volumeID: try volume(name).id))
        case .expand(let name, let bytes):
            _ = try await plugin.expandVolume(ExpandVolumeRequest(volumeID: try volume(name).id, capacityBytes: bytes))
        case .publish(let name): try await publish(try volume(name))
        case .unpublish(let name):
            try await plugin.unpublishVolume(UnpublishVolumeRequest(volumeID: try volume(name).id, podID: name))
        case .write(let name, let pattern): try await write(pattern, to: try volume(name))
        case .snapshot(let name, let source):
            _ = try await plugin.createSnapshot(
                CreateSnapshotRequest(name: name, sourceVolumeID: try volume(source).id))
        case .restore(let name, let source):
            _ = try await plugin.restoreVolume(
                RestoreVolumeRequest(volumeID: try volume(name).id, snapshotID: try snapshot(source)))
        case .deleteSnapshot(let name):
            try await plugin.deleteSnapshot(DeleteSnapshotRequest(snapshotID: try snapshot(name)))
        }
    }

    private func publish(_ volume: VolumeRecord) async throws {
        let publication = try await plugin.publishVolume(
            PublishVolumeRequest(volumeID: volume.id, podID: volume.name, accessMode: .singleWriter))
        let length = try diskLength(publication.path, publication.format)
        guard length == volume.capacityBytes else {
            throw SupportError("\(volume.name) was published with \(length) of \(volume.capacityBytes) bytes")
        }
    }

    private func write(_ pattern: UInt8, to volume: VolumeRecord) async throws {
        let path = plugin.pool.folders.volumes.disk(of: volume)
        switch volume.content.format {
        case .raw:
            let bytes = [UInt8](repeating: pattern, count: CampaignVolume.patternBytes)
            try OpenFile(path, O_WRONLY).write(bytes)
        case .qcow2:
            try await shell(
                "qemu-io -f qcow2 -c \"write -P $2 0 $3\" \"$1\"", path, String(pattern),
                String(CampaignVolume.patternBytes))
        }
    }

    private func volumeSource(_ source: CampaignStep.Source) throws -> VolumeSource {
        switch source {
        case .volume(let name): .volume(try volume(name).id)
        case .snapshot(let name): .snapshot(try snapshot(name))
        }
    }

    private func volume(_ name: String) throws -> VolumeRecord {
        guard let volume = plugin.pool.read({ $0.volume(named: name) }) else { throw SupportError("no volume \(name)") }
        return volume
    }

    private func snapshot(_ name: String) throws -> String {
        guard let id = plugin.pool.read({ $0.snapshot(named: name)?.id }) else {
            throw SupportError("no snapshot \(name)")
        }
        return id
    }
}
