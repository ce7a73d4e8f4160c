import CarpelPluginSDK
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct CapacityTests {
    private static let small = #"{"capacityBytes": 67108864}"#

    @Test func thePoolNeverPromisesMoreThanItsCapacity() async throws {
        let pool = try await TestPool(Self.small)
        let one = try await pool.create("one", 48 << 20)
        #expect(
            try await pool.plugin.getCapacity()
                == GetCapacityResponse(capacityBytes: 64 << 20, availableBytes: 16 << 20))
        await expectFailure("poolFull") { try await pool.create("two", (16 << 20) + 1) }
        let two = try await pool.create("two", 16 << 20)
        await expectFailure("poolFull") { try await pool.expand(two, to: 17 << 20) }
        await expectFailure("poolFull") { try await pool.create("three", 4096) }
        #expect(try await pool.restarted().plugin.getCapacity().availableBytes == 0)
        try await pool.delete(one)
        #expect(try await pool.expand(two, to: 64 << 20).capacityBytes == 64 << 20)
    }

    @Test func thoseWhoComeAtOnceDoNotShareTheLastOfIt() async throws {
        let pool = try await TestPool(Self.small)
        let made = await withTaskGroup { group in
            for number in 0..<8 {
                group.addTask { (try? await pool.create("v\(number)", 24 << 20, mode: .filesystem)) == nil ? 0 : 1 }
            }
            return await group.reduce(0, +)
        }
        #expect(made == 2)
        #expect(try await pool.plugin.getCapacity().availableBytes == 16 << 20)
    }

    @Test func aSnapshotCountsWithWhatItTakes() async throws {
        let pool = try await TestPool(Self.small)
        let volume = try await pool.create("data", 32 << 20)
        try fill(try pool.disk(volume), count: 20 << 20, seed: 1)
        let snapshot = try await pool.snapshot(volume, named: "one")
        let taken = try allocated(try pool.disk(snapshot))
        #expect(taken >= 20 << 20)
        #expect(try await pool.plugin.getCapacity().availableBytes == (32 << 20) - taken)
        #expect(try await pool.restarted().plugin.getCapacity().availableBytes == (32 << 20) - taken)
        await expectFailure("poolFull") { try await pool.snapshot(volume, named: "two") }
        try await pool.plugin.deleteSnapshot(DeleteSnapshotRequest(snapshotID: snapshot.id))
        _ = try await pool.snapshot(volume, named: "two")
    }

    @Test func withoutAConfiguredCapacityThePoolHasWhatItsFileSystemHas() async throws {
        // A file system of the test's own: nobody else fills it meanwhile.
        try await withReflinkFolder(bytes: 400 << 20) { folder in
            let pool = try await TestPool("{}", in: folder)
            let before = try await pool.plugin.getCapacity()
            #expect(before.capacityBytes > 200 << 20 && before.capacityBytes < 400 << 20)
            #expect(before.availableBytes == before.capacityBytes)
            let volume = try await pool.create("data", 128 << 20)
            try fill(try pool.disk(volume), count: 64 << 20, seed: 1)
            try syncToDisk(try pool.disk(volume))
            // What a volume takes of the file system is part of its capacity already.
            let after = try await pool.plugin.getCapacity()
            #expect(abs(before.availableBytes - after.availableBytes - (128 << 20)) < 2 << 20)
            await expectFailure("poolFull") { try await pool.create("more", after.availableBytes + 1) }

            // What others take of it is gone.
            try await shell("head -c 100M /dev/zero > \"$1/other\"; sync -f \"$1\"", folder.path)
            let filled = try await pool.plugin.getCapacity()
            #expect(abs(after.availableBytes - filled.availableBytes - (100 << 20)) < 2 << 20)
        }
    }

    @Test func aFullFileSystemIsAnErrorThatLeavesTheOldState() async throws {
        try await withReflinkFolder(bytes: 400 << 20) { folder in
            let pool = try await TestPool(in: folder)
            _ = try await pool.create("data", 32 << 20)
            try await shell("cat /dev/zero > \"$1/other\" 2>/dev/null; sync -f \"$1\"", folder.path)
            let names = try pool.files()
            await expectFailure("noSpace") {
                try await pool.create("more", 320 << 20, mode: .filesystem, ["fsType": "xfs"])
            }
            #expect(try pool.files() == names)
            try await shell("rm \"$1/other\"", folder.path)
            _ = try await pool.create("more", 32 << 20, mode: .filesystem)
        }
    }

    @Test func manyVolumesAreListedInTheOrderOfTheirNames() async throws {
        let pool = try await TestPool()
        let names = (0..<20).map { "v\(String(($0 * 7) % 20 + 10))" }
        for name in names { _ = try await pool.create(name, 4096) }
        #expect(try await pool.plugin.listVolumes().volumes.map(\.name) == names.sorted())
    }
}
