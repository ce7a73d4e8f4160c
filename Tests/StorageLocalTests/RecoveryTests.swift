import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct RecoveryTests {
    @Test func whatHalfMadeWorkLeftIsRemovedAtTheStart() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        let snapshot = try await pool.snapshot(volume, named: "then")
        let kept = try pool.files()
        for leftover in [
            "temporary/0123456789abcdef.raw", "temporary/0123456789abcdef.qcow2", "temporary/0123456789abcdef.json",
            "volumes/0123456789abcdef.raw", "snapshots/0123456789abcdef.qcow2",
        ] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(pool.path)/\(leftover)"))
        }
        // Not the plugin's: it is not known what it is for.
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(pool.path)/volumes/notes.txt"))
        let after = try await pool.restarted()
        #expect(try after.files() == (kept + ["volumes/notes.txt"]).sorted())
        #expect(try await after.listed(volume) == volume)
        #expect(try await after.plugin.listSnapshots().snapshots == [snapshot])
    }

    @Test(arguments: ["", "{", "{}", "[1]", #"{"version": 1}"#, "\0\0\0\0"])
    func aRecordThatCannotBeReadIsSetAsideAndNothingIsCollected(_ damage: String) async throws {
        let pool = try await TestPool(#"{"capacityBytes": 67108864}"#)
        let damaged = try await pool.create("damaged", 32 << 20)
        let whole = try await pool.create("whole", 16 << 20)
        _ = try await pool.publish(whole, to: "pod")
        let record = URL(fileURLWithPath: "\(pool.path)/volumes/\(damaged.id).json")
        let content = try Data(contentsOf: record)
        try Data(damage.utf8).write(to: record)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(pool.path)/temporary/0123456789abcdef.raw"))

        for _ in 0..<2 {
            let after = try await pool.restarted()
            #expect(try await after.plugin.listVolumes().volumes.map(\.name) == ["whole"])
            let aside = "\(pool.path)/set-aside/\(damaged.id).json"
            #expect(try Data(contentsOf: URL(fileURLWithPath: aside)) == Data(damage.utf8))
            #expect(FileManager.default.fileExists(atPath: "\(pool.path)/volumes/\(damaged.id).raw"))
            #expect(FileManager.default.fileExists(atPath: "\(pool.path)/temporary/0123456789abcdef.raw"))
            await expectFailure("recordsUnreadable") { try await after.plugin.probe() }
            await expectFailure("recordsUnreadable") {
                try await after.plugin.collectPublications(CollectPublicationsRequest(valid: []))
            }
            // Its room is not given away, and the others go on working.
            #expect(try await after.plugin.getCapacity().availableBytes == 16 << 20)
            #expect(try await after.listed(whole)?.publishedTo == ["pod"])
            _ = try await after.publish(whole, to: "pod")
        }

        try FileManager.default.removeItem(atPath: "\(pool.path)/set-aside/\(damaged.id).json")
        try content.write(to: record)
        let mended = try await pool.restarted()
        #expect(try await mended.listed(damaged) == damaged)
        #expect(!FileManager.default.fileExists(atPath: "\(pool.path)/temporary/0123456789abcdef.raw"))
        try await mended.plugin.probe()
    }

    /// These lie on people's disks: whatever changes in the SDK's messages, they must be read.
    @Test func recordsOfVersionOneAreRead() async throws {
        let pool = try await TestPool()
        let volume = """
            {"version": 1, "id": "00000000000000aa", "capacityBytes": 8388608, "createdAt": 1700000000000000000,
            "content": {"mode": "filesystem", "format": "qcow2", "fileSystem": "xfs"},
            "limits": {"readBytesPerSecond": 1, "writeBytesPerSecond": 2, "readOperationsPerSecond": 3,
            "writeOperationsPerSecond": 4}, "publications": [{"podID": "p", "accessMode": "singleWriter"}],
            "request": {"name": "data", "capacityBytes": 4194304, "mode": "filesystem",
            "source": {"snapshot": "00000000000000bb"}, "parameters": {"fsType": "xfs"}}}
            """
        let snapshot = """
            {"version": 1, "id": "00000000000000bb", "name": "then", "sourceVolumeID": "00000000000000cc",
            "content": {"mode": "block", "format": "raw"}, "createdAt": 1600000000000000000,
            "capacityBytes": 4096, "allocatedBytes": 512}
            """
        for (path, record) in [
            ("volumes/00000000000000aa.json", volume), ("snapshots/00000000000000bb.json", snapshot),
        ] { try Data(record.utf8).write(to: URL(fileURLWithPath: "\(pool.path)/\(path)")) }
        let after = try await pool.restarted()
        #expect(
            try await after.plugin.listVolumes().volumes == [
                Volume(
                    id: "00000000000000aa", name: "data", capacityBytes: 8_388_608, mode: .filesystem,
                    source: .snapshot("00000000000000bb"), parameters: ["fsType": "xfs", "format": "qcow2"],
                    createdAt: 1_700_000_000_000_000_000, publishedTo: ["p"])
            ])
        #expect(
            try await after.plugin.listSnapshots().snapshots == [
                Snapshot(
                    id: "00000000000000bb", name: "then", sourceVolumeID: "00000000000000cc", capacityBytes: 4096,
                    createdAt: 1_600_000_000_000_000_000)
            ])
        #expect(after.plugin.pool.read { $0.volumes["00000000000000aa"]?.limits?.writeOperationsPerSecond } == 4)
    }

    @Test func aRecordOfAnotherVersionOrUnderAnotherNameIsSetAside() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        let path = "\(pool.path)/volumes/\(volume.id).json"
        try await shell("sed -i 's/\"version\" : 1/\"version\" : 2/' \"$1\"", path)
        #expect(try await pool.restarted().plugin.listVolumes().volumes.isEmpty)
        try await shell(
            "sed 's/\"version\" : 2/\"version\" : 1/' \"$1/set-aside/$2.json\" > \"$1/volumes/0000000000000000.json\"",
            pool.path, volume.id)
        let after = try await pool.restarted()
        #expect(try await after.plugin.listVolumes().volumes.isEmpty)
        #expect(after.plugin.pool.read { $0.unreadable.count } == 2)
    }

    @Test func aPoolWhoseFileSystemIsNotMountedIsMissedAndNotMadeAnew() async throws {
        let folder = try TemporaryFolder()
        let configuration = #"{"pool": "\#(folder.path)/pool", "capacityBytes": 1073741824}"#
        let pool = try await TestPool(configuration)
        let volume = try await pool.create("data")
        try await shell("mv \"$1/pool\" \"$1/elsewhere\" && mkdir \"$1/pool\"", folder.path)
        await expectFailure("poolMissing") { try await pool.restarted() }
        // A plugin that runs notices it too, and goes on when the pool is back.
        await expectFailure("poolMissing") { try await pool.plugin.listVolumes() }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/pool").isEmpty)
        try await shell("rmdir \"$1/pool\" && mv \"$1/elsewhere\" \"$1/pool\"", folder.path)
        #expect(try await pool.listed(volume) == volume)

        let other = try await TestPool(#"{"pool": "\#(folder.path)/other"}"#)
        try await shell("mv \"$1/pool\" \"$1/elsewhere\" && cp -a \"$2\" \"$1/pool\"", folder.path, other.path)
        await expectFailure("poolChanged") { try await pool.restarted() }
    }

    @Test func aPoolOfANewerPluginIsLeftAlone() async throws {
        let pool = try await TestPool()
        _ = try await pool.create("data")
        try await shell("sed -i 's/\"version\":1/\"version\":2/' \"$1/pool.json\"", pool.path)
        await expectFailure("poolTooNew") { try await pool.restarted() }
        try await shell("echo x > \"$1/pool.json\"", pool.path)
        await expectFailure("poolUnreadable") { try await pool.restarted() }
        #expect(try pool.files().count == 1)
    }

    @Test func twoProcessesTakeTurnsAndSeeWhatTheOtherDid() async throws {
        let one = try await TestPool(#"{"capacityBytes": 67108864}"#)
        let other = try await one.restarted()
        let volume = try await one.create("data")
        #expect(try await other.listed(volume) == volume)
        _ = try await other.publish(volume, to: "pod")
        await expectFailure("accessConflict") { try await one.publish(volume, to: "another") }
        try await withThrowingTaskGroup { group in
            for number in 0..<10 {
                let pool = number.isMultiple(of: 2) ? one : other
                group.addTask { _ = try? await pool.create("v\(number)", 8 << 20, mode: .filesystem) }
            }
            try await group.waitForAll()
        }
        let volumes = try await one.plugin.listVolumes().volumes
        #expect(volumes.count == 7)
        #expect(try await other.plugin.listVolumes().volumes == volumes)
        #expect(try one.files().count == 7)
    }

    @Test func whoWaitsForTheOtherProcessCanBeCancelled() async throws {
        let pool = try await TestPool()
        let lock = try OpenFile(pool.plugin.pool.folders.lock, O_RDWR)
        #expect(flock(lock.descriptor, LOCK_EX) == 0)
        let listing = Task { try await pool.plugin.listVolumes() }
        listing.cancel()
        await #expect(throws: CancellationError.self) { try await listing.value }
    }

    @Test func aChildKeepsTheLockOfAPluginThatDiedAndACancelledVerbKillsIt() async throws {
        let pool = try await TestPool()
        let path = pool.plugin.pool.folders.lock
        let endless = "\(pool.folder.path)/fifo"
        #expect(mkfifo(endless, 0o600) == 0)
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        #expect(flock(descriptor, LOCK_EX) == 0)
        let child = Task {
            // It waits for a writer that never comes.
            try await Tools(lock: descriptor).run(
                .qemuImage, ["convert", "-f", "raw", "-O", "raw", endless, "\(pool.folder.path)/out"])
        }
        try await eventually("the child runs") {
            (try? await shell("pgrep -f \"convert -f raw -O raw $1 \"", endless)) != nil
        }
        // What the death of the plugin does: its descriptors are closed.
        close(descriptor)
        let creation = Task { try await pool.create("data") }
        await #expect(throws: (any Error).self) { try await shell("flock --nonblock \"$1\" true", path) }
        #expect(try pool.files().isEmpty)
        child.cancel()
        await #expect(throws: CancellationError.self) { try await child.value }
        _ = try await creation.value
    }

    @Test func probeNamesWhatIsMissing() async throws {
        let pool = try await TestPool()
        try await shell("chmod 711 \"$1\"", pool.stateFolder)
        try await pool.plugin.probe()
        try await shell("chmod 700 \"$1\"", pool.stateFolder)
        await expectFailure("poolUnreachable") { try await pool.plugin.probe() }
    }
}
