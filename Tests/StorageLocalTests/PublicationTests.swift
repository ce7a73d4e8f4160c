import CarpelPluginSDK
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct PublicationTests {
    @Test func aPodGetsTheDiskWithEverythingThatAMachineMustKnow() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create(
            "data", 16 << 20, mode: .filesystem,
            [
                "format": "qcow2", "readBytesPerSecond": "1", "writeBytesPerSecond": "2",
                "readOperationsPerSecond": "3", "writeOperationsPerSecond": "4",
            ])
        let publication = try await pool.publish(volume, to: "pod")
        #expect(
            publication
                == VolumePublication(
                    path: "\(pool.path)/volumes/\(volume.id).qcow2", format: .qcow2, readOnly: false,
                    mode: .filesystem, fsType: "ext4",
                    limits: DiskLimits(
                        readBytesPerSecond: 1, writeBytesPerSecond: 2, readOperationsPerSecond: 3,
                        writeOperationsPerSecond: 4)))
        #expect(try await pool.publish(volume, to: "pod") == publication)
        #expect(try await pool.restarted().publish(volume, to: "pod") == publication)
        #expect(try await pool.listed(volume)?.publishedTo == ["pod"])
    }

    @Test func aBlockVolumeHasNoFileSystemAndNoLimitsUnlessAsked() async throws {
        let pool = try await TestPool()
        let publication = try await pool.publish(try await pool.create("data"), to: "pod")
        #expect(publication.mode == .block && publication.fsType == nil && publication.limits == nil)
    }

    @Test func aWriterIsAlone() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        _ = try await pool.publish(volume, to: "one")
        await expectFailure("accessConflict") { try await pool.publish(volume, to: "other") }
        await expectFailure("accessConflict") { try await pool.publish(volume, to: "other", .multiReader) }
        await expectFailure("accessConflict") { try await pool.restarted().publish(volume, to: "other") }
        try await pool.unpublish(volume, from: "one")
        _ = try await pool.publish(volume, to: "other")
    }

    @Test func readersShareAndKeepWritersOut() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        for pod in ["one", "two", "three"] {
            #expect(try await pool.publish(volume, to: pod, .multiReader).readOnly)
        }
        await expectFailure("accessConflict") { try await pool.publish(volume, to: "four") }
        #expect(try await pool.listed(volume)?.publishedTo == ["one", "two", "three"])
        for pod in ["one", "two"] { try await pool.unpublish(volume, from: pod) }
        await expectFailure("accessConflict") { try await pool.publish(volume, to: "four") }
        try await pool.unpublish(volume, from: "three")
        #expect(try await pool.publish(volume, to: "four").readOnly == false)
    }

    @Test func ofTwoWritersAtOnceOneGetsIt() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        let winners = await withTaskGroup { group in
            for pod in 0..<8 {
                group.addTask { (try? await pool.publish(volume, to: "pod\(pod)")) == nil ? 0 : 1 }
            }
            return await group.reduce(0, +)
        }
        #expect(winners == 1)
        #expect(try await pool.listed(volume)?.publishedTo.count == 1)
    }

    @Test func aPodThatHasItInAnotherWayIsToldSo() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        _ = try await pool.publish(volume, to: "pod")
        await expectFailure("publishedOtherwise") { try await pool.publish(volume, to: "pod", .multiReader) }
    }

    @Test func theDiskIsOpenToMachinesAsFarAsItsPublicationsSay() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        let disk = try pool.disk(volume)
        #expect(try permissions(disk) == 0o600)
        _ = try await pool.publish(volume, to: "pod")
        #expect(try permissions(disk) == 0o660)
        try await pool.unpublish(volume, from: "pod")
        #expect(try permissions(disk) == 0o600)
        _ = try await pool.publish(volume, to: "pod", .multiReader)
        #expect(try permissions(disk) == 0o640)
        #expect(try fileStatus(disk)?.st_gid == TestPool.machineGroup)
        for folder in [pool.path, "\(pool.path)/volumes"] {
            #expect(try permissions(folder) == 0o710)
            #expect(try fileStatus(folder)?.st_gid == TestPool.machineGroup)
        }
        for folder in ["snapshots", "temporary", "set-aside"] {
            #expect(try permissions("\(pool.path)/\(folder)") == 0o700)
        }
    }

    @Test func anAccountOfTheMachinesGroupOpensWhatIsPublishedAndNothingElse() async throws {
        let pool = try await TestPool()
        let writable = try await pool.create("writable")
        let readable = try await pool.create("readable")
        let idle = try await pool.create("idle")
        let snapshot = try await pool.snapshot(idle, named: "then")
        _ = try await pool.publish(writable, to: "pod")
        _ = try await pool.publish(readable, to: "pod", .multiReader)
        // The state folder's mode is the daemon's affair.
        try await shell("chmod 711 \"$1\"", pool.stateFolder)
        func opens(_ path: String, for mode: String) async -> Bool {
            (try? await shell(
                "setpriv --reuid 65534 --regid 65534 --groups 54321 sh -c \": \(mode) '$1'\"", path)) != nil
        }
        #expect(await opens(try pool.disk(writable), for: "<>"))
        #expect(await opens(try pool.disk(readable), for: "<"))
        #expect(await !opens(try pool.disk(readable), for: "<>"))
        #expect(await !opens(try pool.disk(idle), for: "<"))
        #expect(await !opens(try pool.disk(snapshot), for: "<"))
    }

    @Test func takingBackWhatAPodDoesNotHaveIsFine() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        try await pool.unpublish(volume, from: "pod")
        try await pool.plugin.unpublishVolume(UnpublishVolumeRequest(volumeID: "x", podID: "pod"))
    }

    @Test func aVolumeThatIsNotThereAndAPodWithoutAnIdAreRefused() async throws {
        let pool = try await TestPool()
        let volume = try await pool.create("data")
        await expectFailure("nameInvalid") { try await pool.publish(volume, to: "") }
        await expectFailure("volumeNotFound") {
            try await pool.plugin.publishVolume(
                PublishVolumeRequest(volumeID: "x", podID: "pod", accessMode: .singleWriter))
        }
    }

    @Test func collectingTakesBackWhatIsNotListed() async throws {
        let pool = try await TestPool()
        let one = try await pool.create("one")
        let shared = try await pool.create("shared")
        _ = try await pool.publish(one, to: "gone")
        for pod in ["gone", "here"] { _ = try await pool.publish(shared, to: pod, .multiReader) }
        let here = UnpublishVolumeRequest(volumeID: shared.id, podID: "here")
        let unknown = UnpublishVolumeRequest(volumeID: "x", podID: "here")
        let request = CollectPublicationsRequest(valid: [here, unknown])
        let removed = try await pool.plugin.collectPublications(request).removed
        let gone = [one, shared].map { UnpublishVolumeRequest(volumeID: $0.id, podID: "gone") }
        #expect(Set(removed) == Set(gone))
        #expect(try await pool.plugin.collectPublications(request).removed.isEmpty)
        let after = try await pool.restarted()
        #expect(try await after.listed(one)?.publishedTo == [])
        #expect(try await after.listed(shared)?.publishedTo == ["here"])
    }
}
