import CarpelPluginSDK
import TestSupport
import Testing

@testable import StorageLocal

/// What happens to a disk while a machine has it open.
@Suite struct OpenDiskTests {
    @Test(arguments: DiskFormat.allCases)
    func aCopyOfADiskThatQEMUHasOpenHoldsAllThatWasFlushed(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 64 << 20, mode: .filesystem, ["format": format.rawValue])
        let publication = try await pool.publish(volume, to: "pod")
        let disk = try await OpenDisk(publication.path, format, in: pool.folder)
        for piece in 0..<8 { try await disk.run("write -P \(piece + 1) \(piece * 7)M 1M") }
        // What freezing the file system ends with.
        try await disk.run("flush")

        let snapshot = try await pool.snapshot(volume, named: "then")
        let clone = try await pool.create("clone", 0, from: .volume(volume.id), mode: .filesystem)
        try await disk.run("write -P 99 0 60M")
        try await disk.close()
        for copy in [try pool.disk(snapshot), try pool.disk(clone)] {
            if format == .qcow2 { try await shell("qemu-img check -q -f qcow2 \"$1\"", copy) }
            for piece in 0..<8 {
                let seen = try await shell(
                    "qemu-io -r -f \"$2\" -c \"read -P $3 $4M 1M\" \"$1\"", copy, format.rawValue, String(piece + 1),
                    String(piece * 7))
                #expect(!seen.contains("verification failed"), "\(seen)")
            }
        }
        try await pool.unpublish(volume, from: "pod")
        _ = try await pool.restore(volume, to: snapshot)
        try await expectSameDisk(try pool.disk(volume), try pool.disk(clone), format)
    }

    @Test(arguments: DiskFormat.allCases)
    func aMachineMakesItsDiskLongerAndKeepsIt(_ format: DiskFormat) async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20, ["format": format.rawValue])
        let publication = try await pool.publish(volume, to: "pod")
        let disk = try await OpenDisk(publication.path, format, in: pool.folder)
        #expect(try await pool.expand(volume, to: 64 << 20).resizedByMachine)
        try await disk.run("truncate 64M")
        try await disk.run("flush")
        #expect(try await pool.expand(volume, to: 64 << 20).resizedByMachine == false)
        try await disk.run("write -P 7 60M 4M")
        try await disk.close()
        try await pool.unpublish(volume, from: "pod")
        _ = try await pool.publish(volume, to: "other")
        #expect(try diskLength(publication.path, format) == 64 << 20)
        let seen = try await shell(
            "qemu-io -r -f \"$2\" -c 'read -P 7 60M 4M' \"$1\"", publication.path, format.rawValue)
        #expect(!seen.contains("verification failed"), "\(seen)")
    }

    @Test func aQcow2DiskThatAMachineStillHasIsNotTouched() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data", 16 << 20, ["format": "qcow2"])
        let publication = try await pool.publish(volume, to: "pod")
        let disk = try await OpenDisk(publication.path, .qcow2, in: pool.folder)
        try await disk.run("write -P 7 0 1M")
        // The daemon is mistaken: the machine is not gone.
        try await pool.unpublish(volume, from: "pod")
        await expectFailure("toolFailed") { try await pool.expand(volume, to: 64 << 20) }
        #expect(try await pool.listed(volume)?.capacityBytes == 16 << 20)
        try await disk.close()
        _ = try await pool.expand(volume, to: 64 << 20)
        try await expectSound(try pool.disk(volume), try pool.plugin.pool.volume(volume.id).content)
    }
}
