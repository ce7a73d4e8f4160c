import CarpelPluginSDK
import Foundation
import Testing

@testable import StorageLocal

@Suite struct CreateVolumeTests {
    @Test(arguments: DiskFormat.allCases, [FileSystem.ext4, .xfs])
    func aNewVolumeHoldsASoundFileSystemAndIsSparse(_ format: DiskFormat, _ fileSystem: FileSystem) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create(
            "data", 512 << 20, mode: .filesystem, ["format": format.rawValue, "fsType": fileSystem.rawValue])
        #expect(volume.capacityBytes == 512 << 20)
        #expect(volume.parameters == ["format": format.rawValue, "fsType": fileSystem.rawValue])
        #expect(volume.publishedTo.isEmpty && volume.source == nil && volume.mode == .filesystem)
        #expect(abs(volume.createdAt - Int64(Date().timeIntervalSince1970 * 1e9)) < 60_000_000_000)

        let disk = try pool.disk(volume)
        #expect(try diskLength(disk, format) == 512 << 20)
        // Of xfs that is its log, which mkfs writes.
        #expect(try #require(volume.allocatedBytes) <= (fileSystem == .xfs ? 66 << 20 : 2 << 20))
        #expect(try allocated(disk) == volume.allocatedBytes)
        try await expectSound(disk, VolumeContent(mode: .filesystem, format: format, fileSystem: fileSystem))
        #expect(try pool.files() == ["volumes/\(volume.id).\(format.rawValue)"])
    }

    @Test(arguments: DiskFormat.allCases)
    func aNewBlockVolumeIsAllZerosAndTakesNextToNothing(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 1 << 32, ["format": format.rawValue])
        #expect(try diskLength(try pool.disk(volume), format) == 1 << 32)
        #expect(try #require(volume.allocatedBytes) < 1 << 20)
        #expect(volume.parameters["fsType"] == nil)
    }

    @Test func aVolumeIsExt4OnARawFileOfTheDefaultCapacityUnlessToldOtherwise() async throws {
        let pool = try await TestPool(#"{"capacityBytes": 10737418240, "defaultCapacityBytes": 33554432}"#)
        let volume = try await pool.create("data", 0, mode: .filesystem)
        #expect(volume.capacityBytes == 32 << 20)
        #expect(volume.parameters == ["format": "raw", "fsType": "ext4"])
    }

    @Test func theCapacityIsRoundedUpToWholeBlocks() async throws {
        let pool = try await TestPool()
        #expect(try await pool.create("data", (16 << 20) + 1).capacityBytes == (16 << 20) + 4096)
    }

    @Test func aRepetitionAnswersTheSameVolume() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", mode: .filesystem, ["fsType": "ext4"])
        #expect(try await pool.create("data", mode: .filesystem, ["fsType": "ext4"]) == volume)
        #expect(try await pool.restarted().create("data", mode: .filesystem, ["fsType": "ext4"]) == volume)
        #expect(try await pool.plugin.listVolumes().volumes == [volume])
    }

    @Test func twoAtOnceMakeOneVolume() async throws {
        let pool = try await TestPool()
        async let one = pool.create("data", mode: .filesystem)
        async let other = pool.create("data", mode: .filesystem)
        #expect(try await one == (try await other))
        #expect(try pool.files().count == 1)
    }

    @Test func aRepetitionIsRecognisedAfterAnExpansionAndWithoutItsSource() async throws {
        let pool = try await TestPool()
        let source = try await pool.create("source")
        let copy = try await pool.create("copy", 0, from: .volume(source.id))
        _ = try await pool.expand(copy, to: 32 << 20)
        try await pool.delete(source)
        let repeated = try await pool.create("copy", 0, from: .volume(source.id))
        #expect(repeated.id == copy.id && repeated.capacityBytes == 32 << 20)
    }

    @Test func aNameThatIsTakenByAnotherContentIsRefused() async throws {
        let pool = try await TestPool()
        _ = try await pool.create("data")
        await expectFailure("volumeExists") { try await pool.create("data", 32 << 20) }
        await expectFailure("volumeExists") { try await pool.create("data", 16 << 20, ["format": "qcow2"]) }
        await expectFailure("volumeExists") { try await pool.create("data", mode: .filesystem) }
        await expectFailure("volumeExists") { try await pool.create("data", from: .snapshot("x")) }
    }

    @Test(arguments: ["", "a/b", "..x/", "ü", String(repeating: "a", count: 129), "a b"])
    func aNameThatIsNotOneIsRefused(_ name: String) async throws {
        let pool = try await TestPool()
        await expectFailure("nameInvalid") { try await pool.create(name) }
        #expect(try pool.files().isEmpty)
    }

    @Test func aNegativeCapacityAndOneThatNoDiskHasAreRefused() async throws {
        let pool = try await TestPool(#"{"capacityBytes": 9223372036854775807}"#)
        await expectFailure("capacityInvalid") { try await pool.create("data", -1) }
        await expectFailure("tooLarge") { try await pool.create("data", .max) }
        // No file system has files of 8 EiB.
        await expectFailure("tooLarge") { try await pool.create("data", .max - 8192) }
        #expect(try pool.files().isEmpty)
        #expect(try await pool.plugin.getCapacity().availableBytes == .max)
    }

    @Test func aVolumeTooSmallForItsFileSystemIsRefused() async throws {
        let pool = try await TestPool()
        await expectFailure("volumeTooSmall") {
            try await pool.create("data", (300 << 20) - 4096, mode: .filesystem, ["fsType": "xfs"])
        }
        await expectFailure("volumeTooSmall") { try await pool.create("data", 1 << 20, mode: .filesystem) }
        for (name, size, type) in [("xfs", 300 << 20, "xfs"), ("ext4", 4 << 20, "ext4")] {
            let volume = try await pool.create(name, Int64(size), mode: .filesystem, ["fsType": type])
            try await expectSound(try pool.disk(volume), try pool.plugin.pool.volume(volume.id).content)
        }
    }

    @Test func aToolThatFailsLeavesNothingAndIsQuoted() async throws {
        let pool = try await TestPool()
        let tools = Tools(lock: STDIN_FILENO)
        do {
            try await tools.run(.mkfsExt4, ["-F", "\(pool.path)/is-not-there"])
            Issue.record("mkfs.ext4 made a file system of nothing")
        } catch let error as PluginError {
            #expect(error.reason == "toolFailed" && error.message.contains("is-not-there"))
        }
    }

    @Test func whatIsLeftOfACancelledCreationIsNothing() async throws {
        let pool = try await TestPool()
        let creation = OwnThreads.start {
            try await pool.create("data", 1 << 30, mode: .filesystem, ["format": "qcow2"])
        }
        creation.cancel()
        await #expect(throws: CancellationError.self) { try await creation.value }
        #expect(try pool.files().isEmpty)
        #expect(try await pool.plugin.getCapacity().availableBytes == 10 << 30)
        _ = try await pool.create("data", 32 << 20)
    }
}
