import CarpelPluginSDK
import Foundation
import Testing

@testable import StorageLocal

@Suite struct DeleteVolumeTests {
    @Test func aDeletedVolumeIsGoneAndItsNameFreeForANewOne() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        try await pool.delete(volume)
        #expect(try pool.files().isEmpty)
        #expect(try await pool.restarted().plugin.listVolumes().volumes.isEmpty)
        let another = try await pool.create("data", 32 << 20)
        #expect(another.id != volume.id)
        // A late repetition means the old one.
        try await pool.delete(volume)
        #expect(try await pool.listed(another) == another)
    }

    @Test func oneThatIsNotThereIsFine() async throws {
        let pool = try await TestPool()
        for id in ["", "../../etc/passwd", "0123456789abcdef"] {
            try await pool.plugin.deleteVolume(DeleteVolumeRequest(volumeID: id))
        }
    }

    @Test func oneThatIsPublishedStays() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        _ = try await pool.publish(volume, to: "pod")
        await expectFailure("volumePublished") { try await pool.delete(volume) }
        #expect(try await pool.listed(volume)?.publishedTo == ["pod"])
        try await pool.unpublish(volume, from: "pod")
        try await pool.delete(volume)
    }

    @Test func itsSnapshotsAndItsClonesStay() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        try fill(try pool.disk(volume), count: 1 << 20, seed: 3)
        let snapshot = try await pool.snapshot(volume, named: "then")
        let clone = try await pool.create("clone", 0, from: .volume(volume.id))
        try await pool.delete(volume)
        let revived = try await pool.create("revived", 0, from: .snapshot(snapshot.id))
        try await expectSame(try pool.disk(revived), try pool.disk(clone))
        #expect(try await pool.plugin.listSnapshots().snapshots == [snapshot])
    }

    @Test func oneWhoseDiskSomebodyRemovedCanStillBeDeleted() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        unlink(try pool.disk(volume))
        #expect(try await pool.listed(volume)?.allocatedBytes == nil)
        await expectFailure("diskMissing") { try await pool.publish(volume, to: "pod") }
        await expectFailure("diskMissing") { try await pool.snapshot(volume, named: "then") }
        await expectFailure("diskMissing") { try await pool.create("copy", 0, from: .volume(volume.id)) }
        try await pool.delete(volume)
        #expect(try await pool.plugin.listVolumes().volumes.isEmpty)
    }
}
