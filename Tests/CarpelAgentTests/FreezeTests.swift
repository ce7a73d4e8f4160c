import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import TestSupport
import Testing

extension AgentTests.Volumes {
    /// Writes as soon as it is told to, and tells when it has.
    private static let writer = "read go; echo more > /data/file; echo written"

    @Test(arguments: ["ext4", "xfs"]) func aFrozenVolumeIsWholeAndTakesNoWritesUntilItThaws(
        fileSystem: String
    ) async throws {
        let guest = try sharedGuest()
        let disk = try await VolumeDisk.make(fileSystem)
        try await disk.add()
        let container = try await holder(of: disk)
        #expect(try await guest.run(.shell("echo early > /data/file", in: container)).stdout == "")
        try await guest.call(.freezeVolume(name: disk.name, timeoutSeconds: 600))
        #expect(try await listed(disk)?.isFrozen == true)
        // Nothing was synced by hand: what the host finds in the file now is complete without a journal.
        let snapshot = try await disk.clone(readOnly: true)
        try await snapshot.add(readOnly: true)
        #expect(try await inContainer("cat /data/file", snapshot.mount("/data")).stdout == "early\n")
        try await snapshot.remove()

        let process = try await guest.exec(.shell(Self.writer, in: container, stdin: true))
        try await process.write(Array("go\n".utf8))
        try await isWaiting(process, in: container)
        #expect(await failure { try await guest.call(.growVolume(name: disk.name)) } == .busy)
        try await guest.call(.thawVolume(name: disk.name))
        #expect(String(decoding: try await process.collectOutput(limit: 100).stdout, as: UTF8.self) == "written\n")
        #expect(await failure { try await guest.call(.thawVolume(name: disk.name)) } == .invalidState)
        try await guest.call(.removeContainer(id: container))
        try await disk.remove()
    }

    @Test func aVolumeThatNobodyThawsThawsByItself() async throws {
        let machine = try sharedMachine()
        let guest = machine.guest
        let disk = try await VolumeDisk.make("ext4")
        try await disk.add()
        let container = try await holder(of: disk)
        let process = try await guest.exec(.shell(Self.writer, in: container, stdin: true))
        try await guest.call(.freezeVolume(name: disk.name, timeoutSeconds: 1))
        try await process.write(Array("go\n".utf8))
        // The end of the write is the end of the freeze.
        #expect(String(decoding: try await process.collectOutput(limit: 100).stdout, as: UTF8.self) == "written\n")
        #expect(await failure { try await guest.call(.thawVolume(name: disk.name)) } == .invalidState)
        #expect(try await listed(disk)?.isFrozen == false)
        try await eventually("the console tells of it") { machine.console.contains("\(disk.name) was frozen") }
        try await guest.call(.removeContainer(id: container))
        try await disk.remove()
    }

    @Test func onlyAFileSystemOnADiskIsFrozenAndOnlyForAWhile() async throws {
        let guest = try sharedGuest()
        try await guest.call(.addVolume(GuestVolume(name: "m", source: .memory(sizeLimit: nil))))
        #expect(await failure { try await guest.call(.freezeVolume(name: "m", timeoutSeconds: 1)) } == .invalidArgument)
        try await guest.call(.removeVolume(name: "m"))
        #expect(await failure { try await guest.call(.freezeVolume(name: "m", timeoutSeconds: 1)) } == .notFound)
        let disk = try await VolumeDisk.make("ext4")
        try await disk.add()
        let name = disk.name
        #expect(
            await failure { try await guest.call(.freezeVolume(name: name, timeoutSeconds: 0)) } == .invalidArgument)
        try await guest.call(.freezeVolume(name: name, timeoutSeconds: 600))
        #expect(await failure { try await disk.remove() } == .busy)
        try await guest.call(.thawVolume(name: name))
        try await disk.remove()
    }

    private func holder(of disk: VolumeDisk) async throws -> String {
        var spec = ContainerSpec.shell("exec sleep 1000")
        spec.mounts = [disk.mount("/data")]
        try await sharedGuest().start(spec)
        return spec.id
    }

    /// Returns when the process sleeps where no signal reaches it, which is in the kernel, held back.
    private func isWaiting(_ process: GuestProcess, in container: String) async throws {
        let seen = try await sharedGuest().run(
            .shell(
                "until grep -qs 'State:.D' /proc/[0-9]*/status; do usleep 10000; done; echo waits", in: container))
        #expect(seen.stdout == "waits\n")
    }
}
