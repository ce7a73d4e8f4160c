import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import StorageLocal

/// The side that kills, and looks at what is left.
struct Campaign {
    let folder: TemporaryFolder
    private(set) var states = [CampaignState](repeating: CampaignState(), count: CampaignChild.workers)
    /// Of verbs: how many ended, and how many were cut off and turned out to be done or not.
    private(set) var ended = 0
    private(set) var cutOffOld = 0
    private(set) var cutOffNew = 0

    private var log: String { "\(folder.path)/log" }

    init() async throws {
        folder = try TemporaryFolder()
        try await shell("mkdir \"$1/state\" && chown 65534:65534 \"$1\" \"$1/state\"", folder.path)
    }

    /// Lets a child work, kills it at a moment that it knows nothing of, and examines the pool.
    mutating func round() async throws {
        try JSONEncoder().encode(states).write(to: URL(fileURLWithPath: "\(folder.path)/states"))
        try await shell(": > \"$1/log\" && chmod 666 \"$1/log\" && chmod 644 \"$1/states\"", folder.path)
        try await runAndKill()

        // Its children may still be at work: the plugin waits for them.
        let pool = try await TestPool(CampaignChild.configuration, in: folder)
        try takeUpLog(observed: try await observe(pool))
        try await examine(pool)
    }

    private func runAndKill() async throws {
        // As the plugin's host runs it: another account, no capability, a member of the machines' group.
        let child = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                "exec setpriv --reuid 65534 --regid 65534 --groups \(TestPool.machineGroup) --no-new-privs "
                    + "--inh-caps=-all --bounding-set=-all /proc/self/fd/9 --testing-library swift-testing "
                    + "--filter KillCampaignTests 9< /proc/\(getpid())/exe",
            ], environment: [CampaignChild.variable: folder.path], log: "\(folder.path)/output")
        let lines = Int64.random(in: 1...60)
        try await eventually("the child works") {
            guard child.isRunning else { throw SupportError("the child ended: \(child.log)") }
            return try length(log) > lines * 80
        }
        let moment = ContinuousClock.now + .microseconds(Int64.random(in: 0...30_000))
        while ContinuousClock.now < moment { sched_yield() }
        try await child.end(SIGKILL)
    }

    // MARK: What the log says

    private mutating func takeUpLog(observed: [CampaignState]) throws {
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        let entries = try lines.map { try JSONDecoder().decode(CampaignEntry.self, from: Data($0.utf8)) }
        for worker in states.indices {
            var state = states[worker]
            var pending: CampaignStep?
            for entry in entries where entry.worker == worker {
                switch entry.phase {
                case .begun: pending = entry.step
                case .succeeded:
                    state.apply(entry.step)
                    pending = nil
                    ended += 1
                case .refused(let reason):
                    try #require(reason == "poolFull", "\(entry.step)")
                    pending = nil
                    ended += 1
                }
            }
            states[worker] = try settle(state, after: pending, observed: observed[worker])
        }
    }

    /// The one of the two states in which a step that was cut off may have left things.
    private mutating func settle(
        _ old: CampaignState, after pending: CampaignStep?, observed: CampaignState
    ) throws -> CampaignState {
        guard let pending else {
            try #require(observed.matches(old))
            return old
        }
        var new = old
        new.apply(pending)
        if case .write(let name, _) = pending {
            new.volumes[name]?.pattern = nil
            try #require(observed.matches(new), "after \(pending)")
            return new
        }
        if observed.matches(new) {
            cutOffNew += 1
            return new
        }
        cutOffOld += 1
        try #require(observed.matches(old), "after \(pending): \(observed), neither \(old) nor \(new)")
        return old
    }

    // MARK: What the pool says

    private func observe(_ pool: TestPool) async throws -> [CampaignState] {
        var observed = [CampaignState](repeating: CampaignState(), count: states.count)
        let volumes = pool.plugin.pool.read { Array($0.volumes.values) }
        let names = Dictionary(uniqueKeysWithValues: volumes.map { ($0.id, $0.name) })
        for volume in volumes {
            let disk = pool.plugin.pool.folders.volumes.disk(of: volume)
            observed[try worker(volume.name)].volumes[volume.name] = CampaignVolume(
                format: volume.content.format, mode: volume.content.mode, capacityBytes: volume.capacityBytes,
                isPublished: !volume.publications.isEmpty, pattern: try await pattern(disk, volume.content))
        }
        for snapshot in pool.plugin.pool.read({ Array($0.snapshots.values) }) {
            let disk = pool.plugin.pool.folders.snapshots.disk(of: snapshot)
            observed[try worker(snapshot.name)].snapshots[snapshot.name] = CampaignSnapshot(
                volume: names[snapshot.sourceVolumeID] ?? "",
                content: CampaignVolume(
                    format: snapshot.content.format, mode: snapshot.content.mode,
                    capacityBytes: snapshot.capacityBytes, pattern: try await pattern(disk, snapshot.content)))
        }
        return observed
    }

    private func worker(_ name: String) throws -> Int {
        try #require(name.dropFirst().first?.wholeNumberValue)
    }

    /// nil: the first bytes are not all the same.
    private func pattern(_ disk: String, _ content: VolumeContent) async throws -> UInt8? {
        guard content.mode == .block else { return nil }
        let start = "\(folder.path)/start"
        try await shell(
            "qemu-img dd -U -f \"$3\" -O raw bs=64k count=1 \"if=$1\" \"of=$2\" 2>&1", disk, start,
            content.format.rawValue)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: start))
        return bytes.allSatisfy { $0 == bytes.first } ? bytes.first : nil
    }

    private func examine(_ pool: TestPool) async throws {
        let index = pool.plugin.pool.read { $0 }
        try #require(index.unreadable.isEmpty)
        try #require(index.committedBytes <= 48 << 20)
        let folders = pool.plugin.pool.folders
        let volumes = index.volumes.values.map { (folders.volumes.disk(of: $0), $0.content, $0.capacityBytes) }
        let snapshots = index.snapshots.values.map { (folders.snapshots.disk(of: $0), $0.content, $0.capacityBytes) }
        let disks = volumes + snapshots
        try #require(Set(try pool.files().map { "\(pool.path)/\($0)" }) == Set(disks.map(\.0)))
        for (disk, content, capacity) in disks {
            // Shorter: the machine that was to make it longer has not.
            try #require(try diskLength(disk, content.format) <= capacity)
            if content.mode == .filesystem { try await expectSound(disk, content) }
        }
        for volume in index.volumes.values where volume.publications.isEmpty {
            try #require(try fileStatus(folders.volumes.disk(of: volume))?.st_gid == TestPool.machineGroup)
        }
    }
}

extension CampaignState {
    /// Equal as far as both are known: of a volume with a file system the content is examined in another way.
    fileprivate func matches(_ expected: CampaignState) -> Bool {
        Set(volumes.keys) == Set(expected.volumes.keys) && Set(snapshots.keys) == Set(expected.snapshots.keys)
            && expected.volumes.allSatisfy { name, volume in volumes[name]?.matches(volume) ?? false }
            && expected.snapshots.allSatisfy { name, snapshot in
                snapshots[name]?.volume == snapshot.volume
                    && snapshots[name]?.content.matches(snapshot.content, isPublished: false) ?? false
            }
    }
}

extension CampaignVolume {
    fileprivate func matches(_ expected: CampaignVolume, isPublished: Bool? = nil) -> Bool {
        format == expected.format && mode == expected.mode && capacityBytes == expected.capacityBytes
            && self.isPublished == isPublished ?? expected.isPublished
            && (mode == .filesystem || expected.pattern == nil || pattern == expected.pattern)
    }
}
