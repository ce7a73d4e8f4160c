import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct SnapshotTests {
    @Test(arguments: DiskFormat.allCases)
    func aSnapshotKeepsTheContentAndRestoresIt(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 32 << 20, ["format": format.rawValue])
        let disk = try pool.disk(volume)
        let kept = "\(pool.folder.path)/kept"
        func write(_ pattern: String) async throws {
            try await shell("qemu-io -f \"$2\" -c \"write -P $3 1M 4M\" \"$1\"", disk, format.rawValue, pattern)
        }
        try await write("0x11")
        try await shell("cp --sparse=always \"$1\" \"$2\"", disk, kept)
        let snapshot = try await pool.snapshot(volume, named: "then")
        #expect(snapshot.sourceVolumeID == volume.id && snapshot.capacityBytes == 32 << 20)
        try await write("0x22")
        _ = try await pool.expand(volume, to: 64 << 20)
        try await expectSame(kept, try pool.disk(snapshot))

        let restored = try await pool.restore(volume, to: snapshot)
        #expect(restored.id == volume.id && restored.capacityBytes == 64 << 20)
        #expect(try diskLength(disk, format) == 64 << 20)
        try await expectSound(disk, try pool.plugin.pool.volume(volume.id).content)
        let seen = try await shell(
            "qemu-io -r -f \"$2\" -c 'read -P 0x11 1M 4M' -c 'read -P 0 5M 59M' \"$1\"", disk, format.rawValue)
        #expect(!seen.contains("verification failed"), "\(seen)")
        _ = try await pool.restore(volume, to: snapshot)
    }

    @Test func aSnapshotBecomesAVolume() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", mode: .filesystem, ["fsType": "ext4"])
        let snapshot = try await pool.snapshot(volume, named: "then")
        let copy = try await pool.create("copy", 0, from: .snapshot(snapshot.id), mode: .filesystem)
        #expect(copy.source == .snapshot(snapshot.id) && copy.capacityBytes == volume.capacityBytes)
        try await expectSame(try pool.disk(copy), try pool.disk(volume))
        try await pool.plugin.deleteSnapshot(DeleteSnapshotRequest(snapshotID: snapshot.id))
        #expect(try await pool.listed(copy) == copy)
    }

    @Test func aRepetitionAnswersTheSameSnapshot() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        let snapshot = try await pool.snapshot(volume, named: "then")
        #expect(try await pool.snapshot(volume, named: "then") == snapshot)
        let other = try await pool.create("other")
        await expectFailure("snapshotExists") { try await pool.snapshot(other, named: "then") }
        try await pool.delete(volume)
        #expect(try await pool.restarted().snapshot(volume, named: "then") == snapshot)
    }

    @Test func theOldestIsListedFirst() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        var made: [Snapshot] = []
        for name in ["c", "a", "b"] { made.append(try await pool.snapshot(volume, named: name)) }
        #expect(try await pool.plugin.listSnapshots().snapshots == made)
        #expect(try await pool.restarted().plugin.listSnapshots().snapshots == made)
    }

    @Test func aDeletedSnapshotIsGoneAndDeletingItAgainIsFine() async throws {
        let pool = try await TestPool()
        let snapshot = try await pool.snapshot(try await pool.create("data"), named: "then")
        for _ in 0..<2 { try await pool.plugin.deleteSnapshot(DeleteSnapshotRequest(snapshotID: snapshot.id)) }
        #expect(try await pool.plugin.listSnapshots().snapshots.isEmpty)
        #expect(try pool.files().allSatisfy { $0.hasPrefix("volumes/") })
    }

    @Test func whatCannotBeRestoredIsRefusedByName() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        let other = try await pool.create("other")
        let snapshot = try await pool.snapshot(volume, named: "then")
        await expectFailure("snapshotOfAnotherVolume") { try await pool.restore(other, to: snapshot) }
        _ = try await pool.publish(volume, to: "pod", .multiReader)
        await expectFailure("volumePublished") { try await pool.restore(volume, to: snapshot) }
        await expectFailure("snapshotNotFound") {
            try await pool.plugin.restoreVolume(RestoreVolumeRequest(volumeID: other.id, snapshotID: "x"))
        }
        await expectFailure("volumeNotFound") {
            try await pool.plugin.restoreVolume(RestoreVolumeRequest(volumeID: "x", snapshotID: snapshot.id))
        }
        await expectFailure("nameInvalid") { try await pool.snapshot(volume, named: "a/b") }
        await expectFailure("volumeNotFound") {
            try await pool.plugin.createSnapshot(CreateSnapshotRequest(name: "a", sourceVolumeID: "x"))
        }
    }

    @Test func aBlockVolumeThatIsBeingWrittenToIsNotCopiedInPieces() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        _ = try await pool.publish(volume, to: "pod")
        await expectFailure("volumeInUse") { try await pool.snapshot(volume, named: "then") }
        await expectFailure("volumeInUse") { try await pool.create("copy", 0, from: .volume(volume.id)) }
        #expect(try pool.files() == ["volumes/\(volume.id).raw"])
        try await pool.unpublish(volume, from: "pod")
        _ = try await pool.publish(volume, to: "pod", .multiReader)
        _ = try await pool.snapshot(volume, named: "then")
    }
}
