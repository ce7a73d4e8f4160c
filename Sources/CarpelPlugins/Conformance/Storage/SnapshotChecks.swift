import CarpelPluginSDK

let snapshotChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("snapshot", "CreateSnapshot keeps a volume's content, and ListSnapshots lists it") { storage in
        let volume = try await storage.createBlock()
        let name = uniqueName("snapshot")
        let snapshot = try await storage.snapshot(volume.id, as: name)
        try expect(isName(snapshot.id), "\"\(snapshot.id)\" cannot be a snapshot's id")
        try expect(
            snapshot.name == name && snapshot.sourceVolumeID == volume.id
                && snapshot.capacityBytes == volume.capacityBytes,
            "CreateSnapshot of \(volume) has answered \(snapshot)")
        let listed = try await storage.listSnapshots().first { $0.id == snapshot.id }
        try expect(
            listed == snapshot, "CreateSnapshot answered \(snapshot), ListSnapshots \(String(describing: listed))")
    },
    .init("snapshot-again", "CreateSnapshot of the same answers the same, of another volume ALREADY_EXISTS") {
        storage in
        let (volume, other) = (try await storage.createBlock(), try await storage.createBlock())
        let name = uniqueName("snapshot")
        let first = try await storage.snapshot(volume.id, as: name)
        let second = try await storage.snapshot(volume.id, as: name)
        try expect(first == second, "the first CreateSnapshot answered \(first), the second \(second)")
        try await refusal(.alreadyExists, of: "a snapshot of another volume with the same name") {
            try await storage.snapshot(other.id, as: name)
        }
    },
    .init("snapshot-unknown", "what is not there is NOT_FOUND, but to delete it is fine") { storage in
        let volume = try await storage.createBlock()
        let snapshot = try await storage.snapshot(volume.id)
        let none = uniqueName("none")
        try await refusal(.notFound, of: "a snapshot of an unknown volume") { try await storage.snapshot(none) }
        try await refusal(.notFound, of: "an unknown snapshot") { try await storage.restore(volume.id, from: none) }
        try await refusal(.notFound, of: "an unknown volume") { try await storage.restore(none, from: snapshot.id) }
        try await storage.deleteSnapshot(none)
        try await storage.deleteSnapshot(snapshot.id)
        try await storage.deleteSnapshot(snapshot.id)
        let isListed = try await storage.listSnapshots().contains { $0.id == snapshot.id }
        try expect(!isListed, "the deleted snapshot is listed")
    },
    .init("snapshot-order", "ListSnapshots has the oldest first") { storage in
        let volume = try await storage.createBlock()
        var ids: [String] = []
        for word in ["c", "a", "b"] {
            ids.append(try await storage.snapshot(volume.id, as: uniqueName(word)).id)
        }
        let listed = try await storage.listSnapshots().map(\.id).filter(ids.contains)
        try expect(listed == ids, "they were made as \(ids) and are listed as \(listed)")
    },
    .init("snapshot-name", "a name that a snapshot cannot have is INVALID_ARGUMENT") { storage in
        let volume = try await storage.createBlock()
        for name in ["", "a/b", "../a", String(repeating: "x", count: 129)] {
            try await refusal(.invalidArgument, of: "the name \"\(name)\"") {
                try await storage.snapshot(volume.id, as: name)
            }
        }
    },
    .init("restore", "RestoreVolume brings back what the volume held") { storage in
        let volume = try await storage.createBlock()
        try await storage.write("before", to: volume.id)
        let snapshot = try await storage.snapshot(volume.id)
        try await storage.write("after", to: volume.id)
        let words = ["before", "after"]
        try await storage.expectContent("after", of: volume.id, among: words, "after a write")
        let restored = try await storage.restore(volume.id, from: snapshot.id)
        try expect(restored.id == volume.id, "RestoreVolume of \(volume.id) has answered \(restored.id)")
        try await storage.expectContent("before", of: volume.id, among: words, "after RestoreVolume")
        // A snapshot is not used up.
        try await storage.write("after", to: volume.id)
        _ = try await storage.restore(volume.id, from: snapshot.id)
        try await storage.expectContent("before", of: volume.id, among: words, "after the second RestoreVolume")
    },
    .init("restore-published", "RestoreVolume of a volume that a pod has is FAILED_PRECONDITION") { storage in
        let volume = try await storage.createBlock()
        let snapshot = try await storage.snapshot(volume.id)
        _ = try await storage.publish(volume.id)
        try await refusal(.failedPrecondition, of: "RestoreVolume of a published volume") {
            try await storage.restore(volume.id, from: snapshot.id)
        }
    },
]

/// Volumes that begin with the content of something.
let copyChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("clone-snapshot", "a volume of a snapshot holds what was kept") { storage in
        let volume = try await storage.createBlock()
        try await storage.write("before", to: volume.id)
        let snapshot = try await storage.snapshot(volume.id)
        try await storage.write("after", to: volume.id)
        // The second time after a write to the first clone.
        for _ in 0..<2 { try await checkClone(of: .snapshot(snapshot.id), holding: "before", storage) }
        try await storage.expectContent("after", of: volume.id, among: ["before", "after", "clone"], "after the clone")
    },
    .init("clone-volume", "a volume of a volume holds the same, and is another") { storage in
        let volume = try await storage.createBlock()
        try await storage.write("before", to: volume.id)
        try await checkClone(of: .volume(volume.id), holding: "before", storage)
        try await storage.expectContent("before", of: volume.id, among: ["before", "clone"], "after the clone")
    },
    .init("clone-outlives", "a clone outlives its snapshot and its volume") { storage in
        let volume = try await storage.createBlock()
        try await storage.write("before", to: volume.id)
        let snapshot = try await storage.snapshot(volume.id)
        var request = storage.newRequest()
        request.source = .snapshot(snapshot.id)
        let clone = try await storage.create(request)
        try await storage.deleteSnapshot(snapshot.id)
        try await storage.delete(volume.id)
        try await storage.expectContent("before", of: clone.id, among: ["before"], "after its source is gone")
    },
    .init("clone-too-small", "a volume that is smaller than its source is refused") { storage in
        let volume = try await storage.createBlock()
        var request = storage.newRequest(capacity: StorageUnderTest.capacity / 2)
        request.source = .volume(volume.id)
        try await refusal(.outOfRange, .invalidArgument, of: "a clone that is smaller than its source") {
            try await storage.create(request)
        }
    },
]

private func checkClone(of source: VolumeSource, holding word: String, _ storage: StorageUnderTest) async throws {
    var request = storage.newRequest(capacity: 0)
    request.source = source
    let clone = try await storage.create(request)
    try expect(
        clone.source == source, "the clone's source is \(String(describing: clone.source)), and must be \(source)")
    try expect(
        clone.capacityBytes >= StorageUnderTest.capacity,
        "the clone's capacity is \(clone.capacityBytes), its source's larger")
    let words = ["before", "after", "clone"]
    try await storage.expectContent(word, of: clone.id, among: words, "of its source")
    try await storage.write("clone", to: clone.id)
    try await storage.expectContent("clone", of: clone.id, among: words, "after a write")
}
