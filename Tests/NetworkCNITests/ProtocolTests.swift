import CarpelCore
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

/// What CNI plugins are told, and what becomes of what they say.
///
/// The chains' second plugin is a script that writes down what it is told: Debian's plugins do not say, and speak no
/// CNI 1.1.
@Suite(.serialized) struct ProtocolTests {
    @Test func pluginsAreToldTheirPartOfTheConfigurationAndWhoThePodIs() async throws {
        let node = try await recordingNode(
            #"{"type": "record", "own": {"number": 12345678901, "list": [1, true, null, "x"]}, "#
                + #""capabilities": {"portMappings": true, "bandwidth": false}}"#)
        let plugin = try await node.start()
        let ports = [
            PortMapping(transport: .udp, hostPort: 53, containerPort: 5353, hostIP: "192.0.2.1"),
            PortMapping(transport: .sctp, hostPort: 99, containerPort: 9),
        ]
        _ = try await plugin.add(.pod("pod", ports: ports))

        let call = try await call("ADD", on: node)
        #expect(call.environment["CNI_CONTAINERID"] == "pod")
        #expect(call.environment["CNI_IFNAME"] == "eth0")
        #expect(call.environment["CNI_NETNS"] == "\(node.stateFolder)/namespaces/pod@eth0")
        #expect(call.environment["CNI_PATH"] == "\(node.folder.path)/bin:/usr/lib/cni")
        #expect(
            call.environment["CNI_ARGS"] == "IgnoreUnknown=1;K8S_POD_NAMESPACE=tests;K8S_POD_NAME=pod-name;"
                + "K8S_POD_INFRA_CONTAINER_ID=pod;K8S_POD_UID=pod-uid")
        #expect(call.input["name"] == .string("pods"))
        #expect(call.input["cniVersion"] == .string("1.0.0"))
        #expect(call.input["capabilities"] == nil)
        #expect(
            try call.input["own"] == JSONValue(text: #"{"number": 12345678901, "list": [1, true, null, "x"]}"#))
        #expect(
            try call.input["runtimeConfig"]
                == JSONValue(
                    text: #"""
                        {"portMappings": [
                            {"hostPort": 53, "containerPort": 5353, "protocol": "udp", "hostIP": "192.0.2.1"},
                            {"hostPort": 99, "containerPort": 9, "protocol": "sctp"}]}
                        """#))
        guard case .object(let previous)? = call.input["prevResult"], case .array(let ips)? = previous["ips"] else {
            Issue.record("no result of the bridge: \(call.input)")
            return
        }
        #expect(ips.count == 2)
    }

    @Test func delAndCheckAreToldTheResultOfTheWholeChain() async throws {
        let node = try await recordingNode(#"{"type": "record", "capabilities": {"portMappings": true}}"#)
        let plugin = try await node.start()
        let ports = [PortMapping(transport: .tcp, hostPort: 80, containerPort: 8080)]
        let attachment = try await plugin.add(.pod("pod", ports: ports))
        try await plugin.check(.of(attachment, "pod"))
        try await plugin.delete(.pod("pod"))

        let (check, delete) = (try await call("CHECK", on: node), try await call("DEL", on: node))
        let told = try await call("ADD", on: node).input["runtimeConfig"]
        for call in [check, delete] {
            guard case .object(let result)? = call.input["prevResult"] else {
                Issue.record("no result")
                return
            }
            // What the script has added to the bridge's result.
            #expect(try result["dns"] == JSONValue(text: #"{"nameservers": ["10.22.0.53"], "search": ["pods"]}"#))
            #expect(call.input["runtimeConfig"] == told)
        }
        #expect(attachment.dns == DNS(servers: ["10.22.0.53"], searches: ["pods"]))
    }

    @Test func aFailedAddIsUndoneBackwardsWithoutAResult() async throws {
        let node = try await Node([
            "10-pods.conflist": Networks.list(
                #"{"type": "record", "number": 1}"#, #"{"type": "record", "number": 2}"#, #"{"type": "refuse"}"#)
        ])
        try node.install("record", Self.record)
        try node.install("refuse", Self.refuse)
        let plugin = try await node.start()
        await expectRefusal(.failedPrecondition, "networkConfigurationInvalid", "no such mode (CNI error 7)") {
            _ = try await plugin.add(.pod("pod"))
        }
        let order = try await node.run("cat @/calls | jq -rs '.[] | [.verb, .input.number, .input.prevResult] | @json'")
        // Their results say nothing, as they have made nothing.
        #expect(
            order.split(separator: "\n").map(String.init).suffix(2) == [#"["DEL",2,null]"#, #"["DEL",1,null]"#])
    }

    @Test func disableCheckKeepsTheChainFromBeingAsked() async throws {
        let node = try await Node([
            "10-pods.conflist": Networks.list(
                Networks.bridgePlugin, #"{"type": "record"}"#, version: #""cniVersion": "1.0.0", "disableCheck": true"#)
        ])
        try node.install("record", Self.record)
        let plugin = try await node.start()
        let attachment = try await plugin.add(.pod("pod"))
        try await plugin.check(.of(attachment, "pod"))
        #expect(try await verbs(on: node) == ["ADD"])
        // What the plugin has made itself is still checked.
        try await node.run("ip link delete \(attachment.device)")
        await expectRefusal(.failedPrecondition, "attachmentBroken") { try await plugin.check(.of(attachment, "pod")) }
    }

    @Test func theNewestVersionThatAllSpeakIsUsed() async throws {
        let versions = #""cniVersion": "0.4.0", "cniVersions": ["0.4.0", "1.0.0", "1.1.0", "2.0.0"]"#
        let node = try await Node([
            "10-pods.conflist": Networks.list(Networks.bridgePlugin, #"{"type": "record"}"#, version: versions),
            "20-new.conflist": Networks.list(#"{"type": "record"}"#, version: versions, name: "new"),
        ])
        try node.install("record", Self.record)
        let plugin = try await node.start()
        _ = try await plugin.add(.pod("pod"))
        // Debian's bridge knows no 1.1.
        #expect(try await call("ADD", on: node).input["cniVersion"] == .string("1.0.0"))
        try await plugin.status()
        #expect(try await verbs(on: node) == ["ADD"])
    }

    @Test func garbageCollectionAndStatusAreCNIsOwnWhereTheChainHasThem() async throws {
        let node = try await Node([
            "10-pods.conflist": Networks.list(
                #"{"type": "interface"}"#, #"{"type": "record"}"#, version: #""cniVersion": "1.1.0""#)
        ])
        try node.install("record", Self.record)
        try node.install("interface", Self.interface)
        let plugin = try await node.start()
        for pod in ["kept", "lost"] { _ = try await plugin.add(.pod(pod)) }
        _ = try await plugin.collectGarbage(valid: [.pod("kept")])

        let call = try await call("GC", on: node)
        let valid = try JSONValue(text: #"[{"containerID": "kept", "ifname": "eth0"}]"#)
        #expect(call.input["cni.dev/valid-attachments"] == valid)
        #expect(call.environment["CNI_CONTAINERID"] == nil)
        #expect(try await verbs(on: node) == ["ADD", "ADD", "DEL", "GC"])

        try await plugin.status()
        #expect(try await verbs(on: node).last == "STATUS")
        try await node.run("touch @/unavailable")
        await expectRefusal(.unavailable, "cniPluginUnavailable", "the controller is away (CNI error 50)") {
            try await plugin.status()
        }
    }

    @Test(arguments: [
        // What the plugin says for ADD, with its exit code; what becomes of it.
        ("echo '{'", 0, PluginError.Code.internal, "cniAnswerMalformed", "no result: {"),
        ("true", 0, .internal, "cniAnswerMalformed", "no result: nothing"),
        ("echo '[]'", 0, .internal, "cniAnswerMalformed", "no result"),
        (#"echo '{"ips": [{"address": 5}]}'"#, 0, .internal, "cniAnswerMalformed", "ips[0].address"),
        ("head -c 2000000 /dev/zero", 0, .internal, "cniAnswerMalformed", "its answer has no end"),
        ("echo oh no >&2", 3, .internal, "cniPluginFailed", "it exited with 3 and wrote: oh no"),
        ("true", 4, .internal, "cniPluginFailed", "it exited with 4 and wrote nothing"),
        ("kill -9 $$", 0, .internal, "cniPluginFailed", "signal 9 ended it"),
        (#"echo '{"code": 1, "msg": "too new"}'"#, 1, .failedPrecondition, "cniVersionUnsupported", "too new"),
        (#"echo '{"code": 4, "msg": "bad"}'"#, 1, .invalidArgument, "cniPluginFailed", "bad (CNI error 4)"),
        (#"echo '{"code": 11, "msg": "later"}'"#, 1, .unavailable, "cniTryAgain", "later"),
        (#"echo '{"code": 100, "msg": "a", "details": "b"}'"#, 1, .internal, "cniPluginFailed", "a: b (CNI error 100)"),
        (#"echo '{"cniVersion": "1.0.0"}'"#, 0, .failedPrecondition, "interfaceUnusable", "no interface eth0"),
        (
            #"nsenter --net=$CNI_NETNS ip tuntap add eth0 mode tun; echo '{"cniVersion": "1.0.0"}'"#, 0,
            .failedPrecondition, "interfaceUnusable", "is no Ethernet"
        ),
    ])
    func whatAPluginSaysBecomesAnErrorWithACode(
        _ says: String, _ status: Int, _ code: PluginError.Code, _ reason: String, _ words: String
    ) async throws {
        let node = try await Node(["10-pods.conflist": Networks.list(#"{"type": "odd"}"#)])
        try node.install(
            "odd",
            """
            [ $CNI_COMMAND = VERSION ] && echo '{"supportedVersions": ["1.0.0"]}' && exit
            [ $CNI_COMMAND = ADD ] || exit 0
            \(says)
            exit \(status)
            """)
        let plugin = try await node.start()
        await expectRefusal(code, reason, words) { _ = try await plugin.add(.pod("pod")) }
        try await expectNothingLeft(on: node)
    }

    @Test func whatIsAskedForAndNobodyCanDoIsRefused() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        await expectRefusal(.failedPrecondition, "capabilityMissing", "portMappings") {
            let ports = [PortMapping(transport: .tcp, hostPort: 80, containerPort: 80)]
            _ = try await plugin.add(.pod("pod", ports: ports))
        }
        await expectRefusal(.failedPrecondition, "capabilityMissing", "bandwidth") {
            _ = try await plugin.add(.pod("pod", bandwidth: Bandwidth(ingressBitsPerSecond: 1_000_000)))
        }
        try await expectNothingLeft(on: node)
    }

    @Test(arguments: [
        ("not json", "networkConfigurationInvalid", "10-pods.conflist: "),
        ("{\n\"name\": \"pods\",\n\"cniVersion\" 1}", "networkConfigurationInvalid", "line 3, column 14 is not JSON"),
        (#"{"cniVersion": "1.0.0", "plugins": [{"type": "ptp"}]}"#, "networkConfigurationInvalid", "name is missing"),
        (#"{"cniVersion": "1.0.0", "name": "pods"}"#, "networkConfigurationInvalid", "plugins is missing"),
        (
            #"{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp"}, {"bridge": "x"}]}"#,
            "networkConfigurationInvalid", "plugins[1].type is missing"
        ),
        (
            #"{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "../../bin/sh"}]}"#,
            "networkConfigurationInvalid", "plugins[0].type"
        ),
        (#"{"name": "pods", "plugins": [{"type": "ptp"}]}"#, "networkConfigurationInvalid", "cniVersion is missing"),
        (
            #"{"cniVersion": "0.2.0", "name": "pods", "plugins": [{"type": "ptp"}]}"#, "cniVersionUnsupported",
            "it wants CNI 0.2.0; this plugin speaks 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
        ),
        (
            #"{"cniVersion": "1.1.0", "name": "pods", "plugins": [{"type": "ptp"}]}"#, "cniVersionUnsupported",
            "ptp ADD: it speaks CNI 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0; the network wants 1.1.0"
        ),
        (
            #"{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "absent"}]}"#, "cniPluginMissing",
            "absent ADD: there is no such executable in "
        ),
    ])
    func aNetworkThatCannotWorkIsRefusedBeforeAnythingIsMade(
        _ text: String, _ reason: String, _ words: String
    ) async throws {
        let node = try await Node(["10-pods.conflist": text])
        let plugin = try await node.start()
        await expectRefusal(.failedPrecondition, reason, words) { _ = try await plugin.add(.pod("pod")) }
        try await expectNothingLeft(on: node)
    }

    private static let addAnswer = #"""
        if [ $CNI_COMMAND = ADD ]; then
            echo "$input" | jq '(.prevResult // {"cniVersion": .cniVersion}) + {"dns": {"nameservers": ["10.22.0.53"], "search": ["pods"]}}'
        fi
        """#

    /// Writes down what it is told, and hands on what it gets.
    private static let record = #"""
        input=$(cat)
        [ $CNI_COMMAND = VERSION ] && echo '{"supportedVersions": ["0.4.0", "1.0.0", "1.1.0"]}' && exit
        echo "$input" | jq -c '{verb: env.CNI_COMMAND, input: ., environment: (env | with_entries(select(.key | startswith("CNI_"))))}' >> @/calls
        if [ $CNI_COMMAND = STATUS ] && [ -e @/unavailable ]; then
            echo '{"code": 50, "msg": "the controller is away"}'; exit 1
        fi

        """# + addAnswer

    private static let refuse = #"""
        [ $CNI_COMMAND = VERSION ] && echo '{"supportedVersions": ["1.0.0"]}' && exit
        [ $CNI_COMMAND = ADD ] || exit 0
        echo '{"code": 7, "msg": "no such mode"}'; exit 1
        """#

    /// A plugin of CNI 1.1 that makes a card that leads nowhere.
    private static let interface = #"""
        input=$(cat)
        [ $CNI_COMMAND = VERSION ] && echo '{"supportedVersions": ["1.1.0"]}' && exit
        [ $CNI_COMMAND = ADD ] || exit 0
        nsenter --net=$CNI_NETNS ip link add eth0 type veth peer name nowhere
        echo '{"cniVersion": "1.1.0"}'
        """#

    private func recordingNode(_ plugin: String) async throws -> Node {
        let node = try await Node(["10-pods.conflist": Networks.list(Networks.bridgePlugin, plugin)])
        try node.install("record", Self.record)
        return node
    }

    private struct RecordedCall: Decodable {
        let verb: String
        let input: [String: JSONValue]
        let environment: [String: String]
    }

    private func calls(on node: Node) async throws -> [RecordedCall] {
        try await node.run("cat @/calls").split(separator: "\n").map {
            try JSONDecoder().decode(RecordedCall.self, from: Data($0.utf8))
        }
    }

    private func verbs(on node: Node) async throws -> [String] { try await calls(on: node).map(\.verb) }

    private func call(_ verb: String, on node: Node) async throws -> RecordedCall {
        try #require(try await calls(on: node).last { $0.verb == verb })
    }
}
