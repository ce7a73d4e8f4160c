import CarpelPluginSDK

/// What every network plugin must do, in the order in which it is checked.
let networkChecks: [ConformanceCheck<NetworkUnderTest>] =
    addChecks + networkRequestChecks + deleteChecks + deviceChecks + collectChecks + networkConcurrencyChecks
    + networkCancellationChecks + networkRestartChecks + networkInputChecks

private let addChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("status", "STATUS says that an ADD would work") { network in
        try await network.status()
    },
    .init("add", "ADD answers a tap device, addresses and routes that a machine can use") { network in
        let (_, attachment) = try await network.addPod()
        if let fault = attachment.fault(machineGroup: network.plugin.machineGroup) {
            throw CheckFailure("ADD: \(fault)")
        }
    },
    .init("add-again", "ADD of a pod that is on the network answers the same") { network in
        let (request, first) = try await network.addPod()
        let second = try await network.add(request)
        try expect(first == second, "the first ADD answered \(first), the second \(second)")
    },
    .init("add-distinct", "pods have devices, MAC addresses and addresses of their own") { network in
        var attachments: [NetworkAttachment] = []
        for _ in 0..<8 { attachments.append(try await network.addPod().1) }
        try expectDistinct(attachments)
    },
    .init("add-second-interface", "a pod's second interface is another one, and goes alone") { network in
        let (request, first) = try await network.addPod()
        var more = request
        more.interfaceName = "eth1"
        let second = try await network.add(more)
        try expectDistinct([first, second])
        try await network.delete(more.owner)
        try expect(!TapDevices.exists(second.device), "\(second.device) is still there after its DEL")
        try expect(TapDevices.exists(first.device), "the DEL of eth1 has taken \(first.device) of eth0 away")
        try await network.check(request.owner, first)
    },
]

private let deleteChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("del", "DEL takes the device away") { network in
        let (request, attachment) = try await network.addPod()
        try await network.delete(request.owner)
        try expect(!TapDevices.exists(attachment.device), "\(attachment.device) is still there after the DEL")
    },
    .init("del-unknown", "DEL of a pod that never was there is fine") { network in
        try await network.delete(network.newRequest().owner)
    },
    .init("del-twice", "DEL of a pod that is gone is fine") { network in
        let (request, _) = try await network.addPod()
        try await network.delete(request.owner)
        try await network.delete(request.owner)
    },
    .init("add-after-del", "ADD works again after DEL") { network in
        let (request, _) = try await network.addPod()
        try await network.delete(request.owner)
        let attachment = try await network.add(request)
        if let fault = attachment.fault(machineGroup: network.plugin.machineGroup) {
            throw CheckFailure("ADD: \(fault)")
        }
    },
    .init("nothing-left", "ADD and DEL leave no interface behind") { network in
        // The first pod may bring what all share, such as a bridge.
        try await addAndDelete(1, network)
        let before = TapDevices.allInterfaces
        try await addAndDelete(8, network)
        let more = TapDevices.allInterfaces.subtracting(before)
        try expect(more.isEmpty, "ADD and DEL of 8 pods have left \(more.sorted().joined(separator: ", "))")
    },
]

private let deviceChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("check", "CHECK is content with what ADD has answered") { network in
        let (request, attachment) = try await network.addPod()
        try await network.check(request.owner, attachment)
    },
    .init("check-unknown", "CHECK finds that a pod is not on the network") { network in
        let (_, attachment) = try await network.addPod()
        try await refusal(of: "CHECK of a pod that never was there") {
            try await network.check(network.newRequest().owner, attachment)
        }
    },
    .init("check-deleted", "CHECK finds that a pod is no longer on the network") { network in
        let (request, attachment) = try await network.addPod()
        try await network.delete(request.owner)
        try await refusal(of: "CHECK of a pod after its DEL") { try await network.check(request.owner, attachment) }
    },
    .init("check-missing-device", "CHECK finds that the device is gone, and ADD makes it again") { network in
        let (request, attachment) = try await network.addPod()
        try TapDevices.remove(attachment.device)
        try await refusal(of: "CHECK of a pod whose device is gone") {
            try await network.check(request.owner, attachment)
        }
        let again = try await network.add(request)
        try expect(again == attachment, "ADD answered \(attachment), and \(again) after the device was gone")
        try expect(TapDevices.exists(again.device), "ADD has not made \(again.device) again")
    },
    .init("del-missing-device", "DEL of a pod whose device is gone is fine") { network in
        let (request, attachment) = try await network.addPod()
        try TapDevices.remove(attachment.device)
        try await network.delete(request.owner)
    },
]

private let collectChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("gc", "GC takes off exactly what is not listed, and says so") { network in
        _ = try await network.collect(keeping: [])
        var pods: [(request: NetworkAddRequest, attachment: NetworkAttachment)] = []
        for _ in 0..<3 { pods.append(try await network.addPod()) }
        let removed = try await network.collect(keeping: [pods[1].request.owner, network.newRequest().owner])
        let wanted: Set = [pods[0].request.owner, pods[2].request.owner]
        try expect(removed == wanted, "GC was to remove \(wanted), and says that it has removed \(removed)")
        for index in [0, 2] {
            let device = pods[index].attachment.device
            try expect(!TapDevices.exists(device), "\(device) is still there after the GC")
        }
        try await network.check(pods[1].request.owner, pods[1].attachment)
    },
    .init("gc-after-del", "GC finds nothing of a pod that DEL has taken off") { network in
        let (request, _) = try await network.addPod()
        try await network.delete(request.owner)
        let removed = try await network.collect(keeping: [])
        try expect(!removed.contains(request.owner), "GC has removed a pod that DEL had taken off")
    },
    .init("gc-again", "GC finds nothing when nothing is left") { network in
        let (request, attachment) = try await network.addPod()
        _ = try await network.collect(keeping: [request.owner])
        let removed = try await network.collect(keeping: [request.owner])
        try expect(removed.isEmpty, "the second GC says that it has removed \(removed)")
        try await network.check(request.owner, attachment)
    },
]

func expectDistinct(_ attachments: [NetworkAttachment]) throws {
    for (what, values) in [
        ("device", attachments.map(\.device)), ("MAC address", attachments.map { $0.macAddress.lowercased() }),
        ("address", attachments.flatMap(\.plainAddresses)),
    ] {
        let twice = Dictionary(grouping: values) { $0 }.filter { $1.count > 1 }.keys.sorted()
        try expect(twice.isEmpty, "several interfaces have the \(what) \(twice.joined(separator: ", "))")
    }
}

private func addAndDelete(_ count: Int, _ network: NetworkUnderTest) async throws {
    var owners: [NetworkDeleteRequest] = []
    for _ in 0..<count { owners.append(try await network.addPod().request.owner) }
    for owner in owners { try await network.delete(owner) }
}
