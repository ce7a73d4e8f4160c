import CarpelPluginSDK
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct ExpandVolumeTests {
    @Test(arguments: DiskFormat.allCases)
    func aFreeVolumeIsMadeLongerAndKeepsItsContent(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20, mode: .filesystem, ["format": format.rawValue])
        let answer = try await pool.expand(volume, to: 64 << 20)
        #expect(answer == ExpandVolumeResponse(capacityBytes: 64 << 20, resizedByMachine: false))
        #expect(try diskLength(try pool.disk(volume), format) == 64 << 20)
        try await expectSound(try pool.disk(volume), try pool.plugin.pool.volume(volume.id).content)
        #expect(try await pool.restarted().listed(volume)?.capacityBytes == 64 << 20)
        // The file system grows to its disk as a guest has it grow.
        if format == .raw {
            try await shell("e2fsck -fp \"$1\" && resize2fs \"$1\" && e2fsck -fn \"$1\"", try pool.disk(volume))
        }
    }

    @Test func oneThatIsLargeEnoughStaysAsItIs() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20)
        for bytes in [1, 8 << 20, 16 << 20] as [Int64] {
            let answer = try await pool.expand(volume, to: bytes)
            #expect(answer == ExpandVolumeResponse(capacityBytes: 16 << 20, resizedByMachine: false))
        }
        #expect(try await pool.listed(volume) == volume)
    }

    @Test(arguments: DiskFormat.allCases)
    func aPublishedVolumeIsLeftToItsMachine(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20, ["format": format.rawValue])
        _ = try await pool.publish(volume, to: "pod")
        let toBeDone = ExpandVolumeResponse(capacityBytes: 32 << 20, resizedByMachine: true)
        #expect(try await pool.expand(volume, to: 32 << 20) == toBeDone)
        #expect(try diskLength(try pool.disk(volume), format) == 16 << 20)
        // The daemon lost the answer: a repetition says again that the machine has something to do.
        #expect(try await pool.restarted().expand(volume, to: 32 << 20) == toBeDone)

        try await shell("qemu-img resize -q -f \"$2\" \"$1\" 32M", try pool.disk(volume), format.rawValue)
        let done = ExpandVolumeResponse(capacityBytes: 32 << 20, resizedByMachine: false)
        #expect(try await pool.expand(volume, to: 32 << 20) == done)
    }

    @Test(arguments: DiskFormat.allCases)
    func whatAMachineNeverDidIsDoneForTheNextOne(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20, ["format": format.rawValue])
        _ = try await pool.publish(volume, to: "one")
        _ = try await pool.expand(volume, to: 32 << 20)
        try await pool.unpublish(volume, from: "one")
        let publication = try await pool.restarted().publish(volume, to: "other")
        #expect(try diskLength(publication.path, format) == 32 << 20)
    }

    @Test func aVolumeThatIsPublishedToReadersCannotGrow() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20)
        _ = try await pool.publish(volume, to: "pod", .multiReader)
        await expectFailure("volumePublishedReadOnly") { try await pool.expand(volume, to: 32 << 20) }
        #expect(try await pool.expand(volume, to: 16 << 20).capacityBytes == 16 << 20)
        #expect(try await pool.listed(volume)?.capacityBytes == 16 << 20)
    }

    @Test func anExpansionThatFailsLeavesTheOldCapacity() async throws {
        let pool = try await TestPool(#"{"capacityBytes": 9223372036854775807}"#)
        let volume = try await pool.create("data", 16 << 20)
        let before = try await pool.plugin.getCapacity()
        await expectFailure("tooLarge") { try await pool.expand(volume, to: 1 << 62) }
        #expect(try await pool.restarted().listed(volume) == volume)
        #expect(try await pool.plugin.getCapacity() == before)
    }

    @Test func nonsenseIsRefused() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20)
        await expectFailure("capacityInvalid") { try await pool.expand(volume, to: 0) }
        await expectFailure("tooLarge") { try await pool.expand(volume, to: .max) }
        await expectFailure("volumeNotFound") {
            try await pool.plugin.expandVolume(ExpandVolumeRequest(volumeID: "x", capacityBytes: 1))
        }
    }
}
