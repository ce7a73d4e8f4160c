import CarpelPluginSDK

@testable import StorageLocal

/// A verb that a worker of the campaign calls, or a write in the place of a machine.
enum CampaignStep: Codable, Sendable {
    enum Source: Codable, Sendable {
        case volume(String), snapshot(String)
    }

    case create(String, CampaignVolume, from: Source?)
    case delete(String)
    case expand(String, to: Int64)
    case publish(String)
    case unpublish(String)
    case write(String, pattern: UInt8)
    case snapshot(String, of: String)
    case restore(String, to: String)
    case deleteSnapshot(String)
}

struct CampaignVolume: Codable, Sendable, Hashable {
    var format: DiskFormat
    var mode: VolumeMode
    var capacityBytes: Int64
    var isPublished = false
    /// What the disk of a block volume begins with; nil: not known, since a write was cut off.
    var pattern: UInt8? = 0

    static let patternBytes = 64 << 10
}

struct CampaignSnapshot: Codable, Sendable, Hashable {
    var volume: String
    /// The volume as it was.
    var content: CampaignVolume
}

/// What a worker's volumes and snapshots are by the verbs that it called, by their names.
struct CampaignState: Codable, Sendable, Hashable {
    var volumes: [String: CampaignVolume] = [:]
    var snapshots: [String: CampaignSnapshot] = [:]

    mutating func apply(_ step: CampaignStep) {
        switch step {
        case .create(let name, var volume, let source):
            switch source {
            case .volume(let source): volume.pattern = volumes[source]?.pattern
            case .snapshot(let source): volume.pattern = snapshots[source]?.content.pattern
            case nil: break
            }
            volumes[name] = volume
        case .delete(let name):
            volumes[name] = nil
            // The next one of this name is another volume: these cannot be restored to it.
            for (snapshot, record) in snapshots where record.volume == name { snapshots[snapshot]?.volume = "" }
        case .expand(let name, let bytes): volumes[name]?.capacityBytes = bytes
        case .publish(let name): volumes[name]?.isPublished = true
        case .unpublish(let name): volumes[name]?.isPublished = false
        case .write(let name, let pattern): volumes[name]?.pattern = pattern
        case .snapshot(let name, let source):
            if let content = volumes[source] { snapshots[name] = CampaignSnapshot(volume: source, content: content) }
        case .restore(let name, let source): volumes[name]?.pattern = snapshots[source]?.content.pattern
        case .deleteSnapshot(let name): snapshots[name] = nil
        }
    }

    /// One of the steps that should succeed, capacity permitting.
    func randomStep(worker: Int) -> CampaignStep {
        let names = ["w\(worker)-a", "w\(worker)-b"]
        let snapshotNames = ["w\(worker)-s", "w\(worker)-t"]
        var steps: [CampaignStep] = []
        for name in names {
            guard let volume = volumes[name] else {
                steps += creations(of: name)
                continue
            }
            steps.append(.expand(name, to: volume.capacityBytes + 1 << 20))
            if volume.isPublished {
                steps.append(.unpublish(name))
                if volume.mode == .block { steps.append(.write(name, pattern: .random(in: 1...255))) }
            } else {
                steps += [.publish(name), .delete(name)]
                steps += snapshots.filter { $0.value.volume == name }.map { .restore(name, to: $0.key) }
            }
            if !volume.isPublished || volume.mode == .filesystem {
                steps += snapshotNames.filter { snapshots[$0] == nil }.map { .snapshot($0, of: name) }
            }
        }
        steps += snapshots.keys.map { .deleteSnapshot($0) }
        return steps.randomElement() ?? .delete(names[0])
    }

    private func creations(of name: String) -> [CampaignStep] {
        let new = CampaignVolume(
            format: Bool.random() ? .raw : .qcow2, mode: Bool.random() ? .filesystem : .block,
            capacityBytes: .random(in: 4...12) << 20)
        let clones = volumes.filter { !$0.value.isPublished || $0.value.mode == .filesystem }.map { source, volume in
            CampaignStep.create(name, volume.free, from: .volume(source))
        }
        let revivals = snapshots.map { source, snapshot in
            CampaignStep.create(name, snapshot.content.free, from: .snapshot(source))
        }
        return [.create(name, new, from: nil)] + clones + revivals
    }
}

extension CampaignVolume {
    fileprivate var free: CampaignVolume {
        var volume = self
        volume.isPublished = false
        return volume
    }
}

/// A line of the campaign's log.
struct CampaignEntry: Codable, Sendable {
    enum Phase: Codable, Sendable {
        case begun
        case succeeded
        case refused(String)
    }

    var worker: Int
    var step: CampaignStep
    var phase: Phase
}
