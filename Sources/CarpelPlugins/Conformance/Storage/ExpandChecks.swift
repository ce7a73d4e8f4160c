import CarpelPluginSDK

private let larger = StorageUnderTest.capacity * 2

let expandChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("expand", "ExpandVolume makes a volume larger and keeps what it holds") { storage in
        let volume = try await storage.createBlock()
        try await storage.write("before", to: volume.id)
        let response = try await storage.expand(volume.id, to: larger)
        try expect(
            response.capacityBytes >= larger && !response.resizedByMachine,
            "ExpandVolume to \(larger) of a volume that no pod has answered \(response)")
        let listed = try await storage.volume(volume.id)
        try expect(
            listed.capacityBytes == response.capacityBytes,
            "ExpandVolume answered \(response.capacityBytes), ListVolumes \(listed.capacityBytes)")
        try await storage.expectContent("before", of: volume.id, among: ["before"], "after ExpandVolume")
        let publication = try await storage.publish(volume.id)
        let fault = publication.fault(of: listed, machineGroup: storage.plugin.machineGroup, readOnly: false)
        if let fault { throw CheckFailure(fault) }
    },
    .init("expand-filesystem", "ExpandVolume leaves a file system usable") { storage in
        let volume = try await storage.create(storage.newRequest(.filesystem))
        _ = try await storage.expand(volume.id, to: larger)
        let listed = try await storage.volume(volume.id)
        let publication = try await storage.publish(volume.id)
        let fault = publication.fault(of: listed, machineGroup: storage.plugin.machineGroup, readOnly: false)
        if let fault { throw CheckFailure(fault) }
    },
    .init("expand-again", "ExpandVolume of a volume that is large enough is fine, and never makes it smaller") {
        storage in
        let volume = try await storage.createBlock()
        _ = try await storage.expand(volume.id, to: larger)
        for capacity in [larger, StorageUnderTest.capacity / 2] {
            let response = try await storage.expand(volume.id, to: capacity)
            try expect(response.capacityBytes >= larger, "the capacity is \(response.capacityBytes) after \(larger)")
        }
        let listed = try await storage.volume(volume.id)
        try expect(listed.capacityBytes >= larger, "ListVolumes says \(listed.capacityBytes)")
    },
    .init("expand-refused", "a capacity that cannot be had is refused, an unknown volume NOT_FOUND") { storage in
        let volume = try await storage.createBlock()
        try await refusal(.resourceExhausted, .outOfRange, .invalidArgument, of: "\(Int64.max) bytes") {
            try await storage.expand(volume.id, to: .max)
        }
        let listed = try await storage.volume(volume.id)
        try expect(listed.capacityBytes == volume.capacityBytes, "the capacity is \(listed.capacityBytes) now")
        try await refusal(.notFound, of: "ExpandVolume of an unknown volume") {
            try await storage.expand(uniqueName("none"), to: larger)
        }
    },
    .init(noting: "expand-published", "a volume that a pod has is expanded by its machine, or refused") { storage in
        let volume = try await storage.createBlock()
        let pod = uniquePodID()
        let publication = try await storage.publish(volume.id, to: pod)
        do {
            let response = try await storage.expand(volume.id, to: larger)
            try expect(response.capacityBytes >= larger, "ExpandVolume to \(larger) answered \(response)")
        } catch let error as PluginError where [.failedPrecondition, .unimplemented].contains(error.code) {
            return CheckNote(text: "refuses volumes that a pod has")
        }
        let again = try await storage.publish(volume.id, to: pod)
        try expect(again == publication, "PublishVolume answered \(publication) before, and \(again) after it")
        try await storage.unpublish(volume.id, from: pod)
        // Whether the machine did it or not.
        let free = try await storage.publish(volume.id)
        let fault = free.fault(
            of: try await storage.volume(volume.id), machineGroup: storage.plugin.machineGroup, readOnly: false)
        if let fault { throw CheckFailure("after the pod is gone: \(fault)") }
        return nil
    },
]
