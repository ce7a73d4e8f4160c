import CarpelPluginSDK
import Foundation

private let small: Int64 = 64 << 20

let storageConcurrencyChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("concurrent-create", "32 volumes can be made at once, and deleted at once") { storage in
        let requests = (0..<32).map { _ in storage.newRequest(capacity: small) }
        let volumes = try await atOnce(requests) { try await storage.create($0) }
        let listed = try await storage.list()
        for (request, volume) in zip(requests, volumes) {
            try expect(volume.name == request.name, "\(request.name) was asked for, and \(volume.name) was made")
            guard let entry = listed.first(where: { $0.id == volume.id }) else {
                throw CheckFailure("ListVolumes does not list \(volume.id)")
            }
            try expectSame(volume, entry, "CreateVolume", "ListVolumes")
        }
        try expect(Set(volumes.map(\.id)).count == 32, "several volumes have one id")
        _ = try await atOnce(volumes) { try await storage.delete($0.id) }
        let left = try await storage.list().map(\.id).filter(volumes.map(\.id).contains)
        try expect(left.isEmpty, "\(left) are still listed after DeleteVolume")
    },
    .init("concurrent-create-same", "one volume that is made eight times at once is there once") { storage in
        let request = storage.newRequest(capacity: small)
        let ids = Set(try await atOnce(Array(0..<8)) { _ in try await storage.create(request).id })
        try expect(ids.count == 1, "eight CreateVolumes at once have answered the ids \(ids)")
        let count = try await storage.list().filter { $0.name == request.name }.count
        try expect(count == 1, "ListVolumes lists it \(count) times")
    },
    .init("concurrent-publish", "of eight pods that want to write at once one gets the volume") { storage in
        let volume = try await storage.create(storage.newRequest(capacity: small))
        let pods = (0..<8).map { _ in uniquePodID() }
        let got = try await atOnce(pods) { pod in
            do {
                _ = try await storage.publish(volume.id, to: pod)
                return true
            } catch let error as PluginError where error.code == .failedPrecondition {
                return false
            }
        }
        try expect(got.count { $0 } == 1, "\(got.count { $0 }) pods got it")
        let publishedTo = try await storage.volume(volume.id).publishedTo
        try expect(publishedTo == zip(pods, got).filter(\.1).map(\.0), "publishedTo is \(publishedTo)")
    },
]

let storageCancellationChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("cancel", "a clone that is cancelled leaves nothing, or is done") { storage in
        let volume = try await storage.createBlock()
        try await storage.fill(volume.id)
        try await storage.write("before", to: volume.id)
        try await storage.plugin.surviving {
            for _ in 0..<6 {
                var request = storage.newRequest()
                request.source = .volume(volume.id)
                let clone = try await cancelled(after: .microseconds(UInt64.random(in: 0...8000))) { [request] in
                    try await storage.create(request)
                }
                let listed = try await storage.list().first { $0.name == request.name }
                try expect(
                    (listed == nil) == (clone == nil),
                    clone == nil ? "a cancelled CreateVolume has left \(listed?.id ?? "")" : "the clone is not listed")
                let again = try await storage.create(request)
                try await storage.expectContent("before", of: again.id, among: ["before"], "after the repetition")
                try await storage.delete(again.id)
            }
        }
    },
    .init("deadline", "a clone ends when its time is up") { storage in
        let volume = try await storage.createBlock()
        try await storage.fill(volume.id)
        try await storage.plugin.surviving {
            var request = storage.newRequest()
            request.source = .volume(volume.id)
            do { _ = try await storage.create(request, timeout: .milliseconds(1)) } catch is PluginError {}
            _ = try await storage.create(request)
        }
    },
]

let storageRestartChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("restart", "volumes, snapshots and publications are known after the process was killed") { storage in
        let volume = try await storage.createBlock()
        try await storage.write("before", to: volume.id)
        let snapshot = try await storage.snapshot(volume.id)
        let pod = uniquePodID()
        let publication = try await storage.publish(volume.id, to: pod)
        let before = try await storage.volume(volume.id)
        await storage.plugin.kill()
        try await storage.plugin.revive()
        try expectSame(before, try await storage.volume(volume.id), "ListVolumes before the restart", "after it")
        let kept = try await storage.listSnapshots().contains(snapshot)
        try expect(kept, "the snapshot is no longer listed")
        try await refusal(.failedPrecondition, of: "a second writer after the restart") {
            try await storage.publish(volume.id)
        }
        let again = try await storage.publish(volume.id, to: pod)
        try expect(again == publication, "PublishVolume answered \(publication) before, and \(again) after the restart")
        try await storage.unpublish(volume.id, from: pod)
        try await storage.expectContent("before", of: volume.id, among: ["before"], "after the restart")
    },
    .init("kill-in-create", "volumes whose making was cut off by a kill can be made again or deleted") { storage in
        let requests = (0..<16).map { _ in storage.newRequest(capacity: small) }
        try await storage.plugin.kill(in: requests) { try await storage.create($0) }
        let volumes = try await atOnce(requests) { try await storage.create($0) }
        let listed = try await storage.list()
        for (request, volume) in zip(requests, volumes) {
            let entries = listed.filter { $0.name == request.name }
            try expect(entries.map(\.id) == [volume.id], "\(request.name) is listed as \(entries.map(\.id))")
            try await storage.delete(volume.id)
        }
    },
]

let storageInputChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("verb-unknown", "a verb that the plugin does not know is UNIMPLEMENTED") { storage in
        try await checkUnknownVerbs(storage.plugin)
    },
    .init("garbage", "what is no JSON object is INVALID_ARGUMENT, and the process lives") { storage in
        try await checkGarbage(
            StorageVerb.allCases.map(\.rawValue).filter {
                !["ListVolumes", "ListSnapshots", "GetCapacity", "Probe"].contains($0)
            },
            storage.plugin)
    },
    .init("wrong-types", "members that are missing or of another type are INVALID_ARGUMENT") { storage in
        let (id, pod) = (uniqueName("none"), uniquePodID())
        try await checkWrongTypes(
            [
                (
                    "CreateVolume", try members(of: storage.newRequest()),
                    ["name", "capacityBytes", "mode", "parameters"]
                ),
                ("DeleteVolume", try members(of: DeleteVolumeRequest(volumeID: id)), ["volumeID"]),
                (
                    "ExpandVolume", try members(of: ExpandVolumeRequest(volumeID: id, capacityBytes: 1)),
                    ["volumeID", "capacityBytes"]
                ),
                (
                    "RestoreVolume", try members(of: RestoreVolumeRequest(volumeID: id, snapshotID: id)),
                    ["volumeID", "snapshotID"]
                ),
                (
                    "PublishVolume",
                    try members(of: PublishVolumeRequest(volumeID: id, podID: pod, accessMode: .singleWriter)),
                    ["volumeID", "podID", "accessMode"]
                ),
                (
                    "UnpublishVolume", try members(of: UnpublishVolumeRequest(volumeID: id, podID: pod)),
                    ["volumeID", "podID"]
                ),
                ("CollectPublications", try members(of: CollectPublicationsRequest(valid: [])), ["valid"]),
                (
                    "CreateSnapshot", try members(of: CreateSnapshotRequest(name: id, sourceVolumeID: id)),
                    ["name", "sourceVolumeID"]
                ),
                ("DeleteSnapshot", try members(of: DeleteSnapshotRequest(snapshotID: id)), ["snapshotID"]),
            ], storage.plugin)
    },
    .init("unknown-members", "members that the plugin does not know are ignored") { storage in
        let request = storage.newRequest()
        let volume: Volume = try await storage.plugin.result(
            of: "CreateVolume", try body(of: request, adding: #""someday":{"more":[1,2]}"#))
        try await storage.delete(volume.id)
    },
    .init("hostile-names", "names that look like paths or commands do no harm") { storage in
        try await storage.plugin.surviving {
            for name in hostileNames {
                do { try await storage.delete(name) } catch is PluginError {}
                do { _ = try await storage.publish(name) } catch is PluginError {}
                do { _ = try await storage.restore(name, from: name) } catch is PluginError {}
            }
        }
        try await storage.probe()
    },
]
