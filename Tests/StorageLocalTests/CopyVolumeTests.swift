import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct CopyVolumeTests {
    @Test(arguments: DiskFormat.allCases)
    func aCloneHasTheContentOfItsSourceAndALifeOfItsOwn(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let source = try await pool.create("source", 64 << 20, mode: .filesystem, ["format": format.rawValue])
        let clone = try await pool.create("clone", 0, from: .volume(source.id), mode: .filesystem)
        #expect(clone.capacityBytes == 64 << 20 && clone.source == .volume(source.id))
        #expect(clone.parameters == ["format": format.rawValue, "fsType": "ext4"])
        try await expectSame(try pool.disk(source), try pool.disk(clone))
        try await expectSound(try pool.disk(clone), try pool.plugin.pool.volume(clone.id).content)

        let before = try Data(contentsOf: URL(fileURLWithPath: try pool.disk(clone)))
        try fill(try pool.disk(source), from: 1 << 20, count: 1 << 20, seed: 2)
        #expect(try Data(contentsOf: URL(fileURLWithPath: try pool.disk(clone))) == before)
        try await pool.delete(source)
        #expect(try await pool.restarted().listed(clone) == clone)
    }

    @Test func aSparseDiskStaysSparseAndIsCopiedByteByByte() async throws {
        let pool = try await TestPool()
        let source = try await pool.create("source", 2 << 30)
        let disk = try pool.disk(source)
        // At the begin, over a boundary of copied pieces, and at the very end.
        for (offset, count) in [(0, 4096), ((16 << 20) - 4096, 20 << 20), ((2 << 30) - 4096, 4096)] {
            try fill(disk, from: Int64(offset), count: count, seed: UInt64(offset + 1))
        }
        let clone = try await pool.create("clone", 0, from: .volume(source.id))
        try await expectSame(disk, try pool.disk(clone))
        // The pool's file system counts blocks of its own, the more of them the more places a file lies in.
        #expect(try allocated(try pool.disk(clone)) <= allocated(disk) + (1 << 20))
        #expect(try length(try pool.disk(clone)) == 2 << 30)
    }

    @Test(arguments: DiskFormat.allCases)
    func aCopyMayBeLargerThanItsSourceAndNotSmaller(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let source = try await pool.create("source", 16 << 20, mode: .filesystem, ["format": format.rawValue])
        let snapshot = try await pool.snapshot(source, named: "then")
        for (name, origin) in [("a", VolumeSource.volume(source.id)), ("b", .snapshot(snapshot.id))] {
            await expectFailure("smallerThanSource") {
                try await pool.create(name, 8 << 20, from: origin, mode: .filesystem)
            }
            let copy = try await pool.create(name, 48 << 20, from: origin, mode: .filesystem)
            #expect(copy.capacityBytes == 48 << 20)
            #expect(try diskLength(try pool.disk(copy), format) == 48 << 20)
            // The file system in it still has its old size.
            try await expectSound(try pool.disk(copy), try pool.plugin.pool.volume(copy.id).content)
        }
    }

    @Test func aCopyOfAnotherKindThanItsSourceIsRefused() async throws {
        let pool = try await TestPool()
        let source = try await pool.create("source", mode: .filesystem)
        for (mode, parameters) in [
            (VolumeMode.block, [:]), (.filesystem, ["format": "qcow2"]), (.filesystem, ["fsType": "xfs"]),
        ] {
            await expectFailure("differsFromSource") {
                try await pool.create("copy", 0, from: .volume(source.id), mode: mode, parameters)
            }
        }
        let copy = try await pool.create(
            "copy", 0, from: .volume(source.id), mode: .filesystem, ["readBytesPerSecond": "1000"])
        #expect(try await pool.publish(copy, to: "pod").limits == DiskLimits(readBytesPerSecond: 1000))
    }

    @Test func aSourceThatIsNotThereIsNotFound() async throws {
        let pool = try await TestPool()
        await expectFailure("volumeNotFound") { try await pool.create("copy", 0, from: .volume("../x")) }
        await expectFailure("snapshotNotFound") { try await pool.create("copy", 0, from: .snapshot("x")) }
    }

    @Test func aCopyThatIsCancelledInTheMiddleEnds() async throws {
        let folder = try TemporaryFolder()
        let (source, target) = (try folder.file("source"), "\(folder.path)/target")
        try await shell("head -c 1G /dev/zero | tr '\\0' x > \"$1\"", source)
        let copy = OwnThreads.start { try copyFile(source, to: target) }
        while try allocated(target) == 0 { sched_yield() }
        copy.cancel()
        await #expect(throws: CancellationError.self) { try await copy.value }
        #expect(try allocated(target) < allocated(source))
    }

    @Test func aCancelledVerbLeavesTheOldStateAndNothingElse() async throws {
        let pool = try await TestPool()
        let source = try await StoppedSource(in: pool)
        let before = try await pool.plugin.getCapacity()
        let copy = try await source.startCopy()
        copy.cancel()
        source.goOn()
        await #expect(throws: CancellationError.self) { try await copy.value }
        #expect(try pool.files() == ["volumes/\(source.volume.id).raw"])
        #expect(try await pool.plugin.getCapacity() == before)
    }

    @Test func verbsOnOtherVolumesGoOnWhileOneIsCopied() async throws {
        let pool = try await TestPool()
        let source = try await StoppedSource(in: pool)
        let copy = try await source.startCopy()
        let other = try await pool.create("other")
        _ = try await pool.publish(other, to: "pod")
        // The source is being read: who wants it waits, and may give up.
        let deletion = Task { try await pool.delete(source.volume) }
        let repetition = Task { try await pool.create("copy", 0, from: .volume(source.volume.id)) }
        deletion.cancel()
        repetition.cancel()
        await #expect(throws: CancellationError.self) { try await deletion.value }
        await #expect(throws: CancellationError.self) { try await repetition.value }
        copy.cancel()
        source.goOn()
        _ = await copy.result
        #expect(try await pool.plugin.listVolumes().volumes.map(\.name) == ["other", "source"])
        try await pool.delete(source.volume)
    }

    @Test func onAFileSystemThatSharesBlocksACopyTakesNone() async throws {
        try await withReflinkFolder(bytes: 1 << 30) { folder in
            let pool = try await TestPool(in: folder)
            let source = try await pool.create("source", 256 << 20)
            try fill(try pool.disk(source), count: 64 << 20, seed: 7)
            try syncToDisk(try pool.disk(source))
            let before = try freeBytes(folder.path)
            let snapshot = try await pool.snapshot(source, named: "then")
            let clone = try await pool.create("clone", 0, from: .volume(source.id))
            #expect(before - (try freeBytes(folder.path)) < 8 << 20)
            try await expectSame(try pool.disk(source), try pool.disk(clone))

            try fill(try pool.disk(source), count: 64 << 20, seed: 8)
            try await expectSame(try pool.disk(snapshot), try pool.disk(clone))
            _ = try await pool.restore(source, to: snapshot)
            try await expectSame(try pool.disk(source), try pool.disk(clone))
        }
    }

    private func freeBytes(_ path: String) throws -> Int64 {
        var status = statvfs()
        try #require(statvfs(path, &status) == 0)
        return Int64(status.f_bfree) * Int64(status.f_frsize)
    }
}
