import CarpelPluginSDK
import Foundation

let networkInputChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("verb-unknown", "a verb that the plugin does not know is UNIMPLEMENTED") { network in
        try await checkUnknownVerbs(network.plugin)
    },
    .init("garbage", "what is no JSON object is INVALID_ARGUMENT, and the process lives") { network in
        try await checkGarbage(["ADD", "DEL", "CHECK", "GC"], network.plugin)
    },
    .init("wrong-types", "members that are missing or of another type are INVALID_ARGUMENT") { network in
        let (request, attachment) = try await network.addPod()
        let check = NetworkCheckRequest(
            podID: request.pod.id, network: request.network, interfaceName: request.interfaceName,
            attachment: attachment)
        try await checkWrongTypes(
            [
                ("ADD", try members(of: network.newRequest()), ["pod", "network", "interfaceName", "addresses"]),
                ("DEL", try members(of: request.owner), ["podID", "network", "interfaceName"]),
                ("CHECK", try members(of: check), ["podID", "network", "interfaceName", "attachment"]),
                ("GC", try members(of: NetworkCollectRequest(valid: [])), ["valid"]),
            ], network.plugin)
        try await network.check(request.owner, attachment)
    },
    .init("unknown-members", "members that the plugin does not know are ignored") { network in
        let request = network.newRequest()
        let attachment: NetworkAttachment = try await network.plugin.result(
            of: "ADD", try body(of: request, adding: #""someday":{"more":[1,2]}"#))
        try await network.check(request.owner, attachment)
        try await network.delete(request.owner)
    },
    .init("hostile-names", "names that look like paths or commands do no harm") { network in
        try await network.plugin.surviving {
            for name in hostileNames {
                var request = network.newRequest()
                request.pod.name = name
                request.pod.namespace = name
                request.network = name
                request.interfaceName = String(name.prefix(15))
                do { _ = try await network.add(request) } catch is PluginError {}
                do { try await network.delete(request.owner) } catch is PluginError {}
            }
        }
        let (request, attachment) = try await network.addPod()
        try await network.check(request.owner, attachment)
    },
]
