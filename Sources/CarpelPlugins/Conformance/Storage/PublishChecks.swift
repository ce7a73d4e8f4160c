import CarpelPluginSDK

let publishChecks: [ConformanceCheck<StorageUnderTest>] = [
    .init("publish", "PublishVolume answers a disk that a machine can open") { storage in
        for mode in [VolumeMode.block, .filesystem] {
            let volume = try await storage.create(storage.newRequest(mode))
            let pod = uniquePodID()
            let writer = try await storage.publish(volume.id, to: pod)
            let group = storage.plugin.machineGroup
            if let fault = writer.fault(of: volume, machineGroup: group, readOnly: false) { throw CheckFailure(fault) }
            let publishedTo = try await storage.volume(volume.id).publishedTo
            try expect(publishedTo == [pod], "publishedTo is \(publishedTo), and must be \([pod])")
            try await storage.unpublish(volume.id, from: pod)
            let reader = try await storage.publish(volume.id, to: pod, as: .multiReader)
            if let fault = reader.fault(of: volume, machineGroup: group, readOnly: true) { throw CheckFailure(fault) }
        }
    },
    .init("publish-again", "PublishVolume to the same pod answers the same") { storage in
        let volume = try await storage.createBlock()
        let pod = uniquePodID()
        let first = try await storage.publish(volume.id, to: pod)
        let second = try await storage.publish(volume.id, to: pod)
        try expect(first == second, "the first PublishVolume answered \(first), the second \(second)")
    },
    .init("publish-unknown", "PublishVolume of a volume that is not there is NOT_FOUND") { storage in
        try await refusal(.notFound, of: "PublishVolume of an unknown volume") {
            try await storage.publish(uniqueName("none"))
        }
    },
    .init("publish-exclusive", "a volume that a pod may write is no other pod's") { storage in
        let volume = try await storage.createBlock()
        let pod = uniquePodID()
        _ = try await storage.publish(volume.id, to: pod)
        for mode in VolumeAccessMode.allCases {
            try await refusal(.failedPrecondition, of: "a second pod as \(mode.rawValue) beside a writer") {
                try await storage.publish(volume.id, as: mode)
            }
        }
        try await storage.unpublish(volume.id, from: pod)
        _ = try await storage.publish(volume.id)
    },
    .init("publish-readers", "a volume that pods only read may be with several, and with no writer") { storage in
        let volume = try await storage.createBlock()
        let pods = [uniquePodID(), uniquePodID()]
        for pod in pods {
            let publication = try await storage.publish(volume.id, to: pod, as: .multiReader)
            try expect(publication.readOnly, "a reader's disk is not read-only")
        }
        let publishedTo = Set(try await storage.volume(volume.id).publishedTo)
        try expect(publishedTo == Set(pods), "publishedTo is \(publishedTo), and must be \(pods)")
        try await refusal(.failedPrecondition, of: "a writer beside readers") { try await storage.publish(volume.id) }
        try await storage.unpublish(volume.id, from: pods[0])
        try await refusal(.failedPrecondition, of: "a writer beside a reader") { try await storage.publish(volume.id) }
        try await storage.unpublish(volume.id, from: pods[1])
        _ = try await storage.publish(volume.id)
    },
    .init("unpublish", "UnpublishVolume takes the volume back, and may be repeated") { storage in
        let volume = try await storage.createBlock()
        let pod = uniquePodID()
        _ = try await storage.publish(volume.id, to: pod)
        try await storage.unpublish(volume.id, from: pod)
        try await storage.unpublish(volume.id, from: pod)
        let publishedTo = try await storage.volume(volume.id).publishedTo
        try expect(publishedTo.isEmpty, "the volume is still published to \(publishedTo)")
    },
    .init("unpublish-unknown", "UnpublishVolume of what is not published is fine") { storage in
        let volume = try await storage.createBlock()
        try await storage.unpublish(volume.id, from: uniquePodID())
        try await storage.unpublish(uniqueName("none"), from: uniquePodID())
    },
    .init("collect", "CollectPublications takes back exactly what is not listed, and says so") { storage in
        _ = try await storage.collect(keeping: [])
        let (one, two) = (try await storage.createBlock(), try await storage.createBlock())
        let (kept, gone, reader) = (uniquePodID(), uniquePodID(), uniquePodID())
        _ = try await storage.publish(one.id, to: kept)
        _ = try await storage.publish(two.id, to: gone, as: .multiReader)
        _ = try await storage.publish(two.id, to: reader, as: .multiReader)
        let valid = [
            UnpublishVolumeRequest(volumeID: one.id, podID: kept),
            UnpublishVolumeRequest(volumeID: two.id, podID: reader),
        ]
        let removed = try await storage.collect(keeping: valid)
        let wanted: Set = [UnpublishVolumeRequest(volumeID: two.id, podID: gone)]
        try expect(removed == wanted, "it was to remove \(wanted), and says that it has removed \(removed)")
        let pods = [try await storage.volume(one.id).publishedTo, try await storage.volume(two.id).publishedTo]
        try expect(pods == [[kept], [reader]], "the volumes are published to \(pods)")
        let more = try await storage.collect(keeping: valid)
        try expect(more.isEmpty, "the second time it says that it has removed \(more)")
    },
]
