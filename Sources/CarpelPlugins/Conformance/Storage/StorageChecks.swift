import CarpelPluginSDK
import Foundation

/// What every storage plugin must do, in the order in which it is checked.
let storageChecks: [ConformanceCheck<StorageUnderTest>] =
    poolChecks + createChecks + deleteVolumeChecks + publishChecks + snapshotChecks + copyChecks + expandChecks
    + storageConcurrencyChecks + storageCancellationChecks + storageRestartChecks + storageInputChecks

private let poolChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("probe", "Probe says that the plugin can work") { storage in
        try await storage.probe()
    },
    .init("capacity", "GetCapacity says how large the pool is and what is left") { storage in
        let capacity = try await storage.capacity()
        try expect(
            capacity.capacityBytes > 0 && (0...capacity.capacityBytes).contains(capacity.availableBytes),
            "\(capacity.availableBytes) bytes cannot be available of \(capacity.capacityBytes)")
    },
]

private let createChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("create", "CreateVolume makes a volume that holds what was asked for, and ListVolumes lists it") { storage in
        for mode in [VolumeMode.block, .filesystem] {
            let request = storage.newRequest(mode)
            let volume = try await storage.create(request)
            try expect(isName(volume.id), "\"\(volume.id)\" cannot be a volume's id")
            try expect(
                volume.name == request.name, "the volume is called \(volume.name), and \(request.name) was asked for")
            try expect(volume.mode == mode, "the mode is \(volume.mode), and \(mode) was asked for")
            try expect(
                volume.capacityBytes >= request.capacityBytes,
                "the capacity is \(volume.capacityBytes), and \(request.capacityBytes) were asked for")
            try expect(volume.publishedTo.isEmpty, "a new volume is published to \(volume.publishedTo)")
            try expectSame(volume, try await storage.volume(volume.id), "CreateVolume", "ListVolumes")
        }
    },
    .init("create-again", "CreateVolume of the same volume answers the same") { storage in
        let request = storage.newRequest()
        let first = try await storage.create(request)
        try expectSame(first, try await storage.create(request), "the first CreateVolume", "the second")
        let count = try await storage.list().filter { $0.name == request.name }.count
        try expect(count == 1, "there are \(count) volumes \(request.name)")
    },
    .init("create-other", "CreateVolume of another volume with the same name is ALREADY_EXISTS") { storage in
        let request = storage.newRequest()
        _ = try await storage.create(request)
        var larger = request
        larger.capacityBytes *= 2
        var other = request
        other.mode = .filesystem
        try await refusal(.alreadyExists, of: "the same name with another capacity") {
            try await storage.create(larger)
        }
        try await refusal(.alreadyExists, of: "the same name with another mode") { try await storage.create(other) }
    },
    .init("create-default", "a volume that asks for no capacity gets the plugin's default") { storage in
        let volume = try await storage.create(storage.newRequest(capacity: 0))
        try expect(volume.capacityBytes > 0, "the capacity is \(volume.capacityBytes)")
    },
    .init("create-too-large", "a capacity that cannot be had is refused, and nothing is left") { storage in
        for capacity in [Int64.max, Int64.max / 2, -1, Int64.min] {
            let request = storage.newRequest(capacity: capacity)
            try await refusal(
                .resourceExhausted, .outOfRange, .invalidArgument, of: "a capacity of \(capacity) bytes"
            ) { try await storage.create(request) }
            let isListed = try await storage.list().contains { $0.name == request.name }
            try expect(!isListed, "the volume that was refused is listed")
        }
    },
    .init("create-name", "a name that a volume cannot have is INVALID_ARGUMENT") { storage in
        for name in ["", "a b", "a/b", "../a", "ä", "a\n", String(repeating: "x", count: 129)] {
            var request = storage.newRequest()
            request.name = name
            try await refusal(.invalidArgument, of: "the name \"\(name)\"") { try await storage.create(request) }
        }
        for name in ["A-z_0.9", String(repeating: "x", count: 128)] {
            var request = storage.newRequest()
            request.name = name
            try await storage.delete(try await storage.create(request).id)
        }
    },
    .init("create-parameter", "a parameter that the plugin does not know is INVALID_ARGUMENT") { storage in
        var request = storage.newRequest()
        request.parameters = [uniqueName("nobodysParameter"): "1"]
        try await refusal(.invalidArgument, of: "a parameter that nobody knows") { try await storage.create(request) }
    },
    .init("create-source-unknown", "a source that is not there is NOT_FOUND") { storage in
        for source in [VolumeSource.snapshot(uniqueName("none")), .volume(uniqueName("none"))] {
            var request = storage.newRequest()
            request.source = source
            try await refusal(.notFound, of: "the source \(source)") { try await storage.create(request) }
        }
    },
    .init("list-sorted", "ListVolumes is in the order of names") { storage in
        for word in ["b", "c", "a"] {
            var request = storage.newRequest()
            request.name = uniqueName(word)
            _ = try await storage.create(request)
        }
        let names = try await storage.list().map(\.name)
        try expect(names == names.sorted(), "the order is \(names)")
    },
]

private let deleteVolumeChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("delete", "DeleteVolume ends a volume, and a new one of that name is empty") { storage in
        let request = storage.newRequest()
        let volume = try await storage.create(request)
        try await storage.write("old", to: volume.id)
        try await storage.delete(volume.id)
        let isListed = try await storage.list().contains { $0.id == volume.id }
        try expect(!isListed, "the deleted volume is listed")
        let again = try await storage.create(request)
        try await storage.expectContent("", of: again.id, among: ["old"], "after it was deleted and made again")
    },
    .init("delete-unknown", "DeleteVolume of a volume that is not there is fine") { storage in
        try await storage.delete(uniqueName("none"))
    },
    .init("delete-twice", "DeleteVolume of a volume that is gone is fine") { storage in
        let volume = try await storage.createBlock()
        try await storage.delete(volume.id)
        try await storage.delete(volume.id)
    },
    .init("delete-published", "DeleteVolume of a volume that a pod has is FAILED_PRECONDITION") { storage in
        let volume = try await storage.createBlock()
        let pod = uniquePodID()
        let publication = try await storage.publish(volume.id, to: pod)
        try await refusal(.failedPrecondition, of: "DeleteVolume of a published volume") {
            try await storage.delete(volume.id)
        }
        try expect(FileManager.default.fileExists(atPath: publication.path), "the disk \(publication.path) is gone")
        try await storage.unpublish(volume.id, from: pod)
        try await storage.delete(volume.id)
    },
]

func isName(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
        }
}

/// What a volume takes on the node may change at any time.
func expectSame(_ one: Volume, _ other: Volume, _ who: String, _ whoElse: String) throws {
    var (one, other) = (one, other)
    one.allocatedBytes = nil
    other.allocatedBytes = nil
    try expect(one == other, "\(who) has answered \(one), and \(whoElse) \(other)")
}
