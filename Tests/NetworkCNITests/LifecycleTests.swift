import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

/// What comes and goes with ADD and DEL, also when they are interrupted.
@Suite(.serialized) struct LifecycleTests {
    private let ports = [PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)]

    @Test func delGivesEverythingBack() async throws {
        let (node, plugin) = try await bridgedNode()
        let limit = Bandwidth(ingressBitsPerSecond: 16_000_000, egressBitsPerSecond: 16_000_000)
        let attachment = try await plugin.add(.pod("pod", ports: ports, bandwidth: limit))

        let present = try await node.leftovers().joined(separator: "\n")
        let expected = [
            attachment.device, "nsfs", "10.22.0.2", "fd00:22::2", "CNI-DN-", "attachments/pod@eth0.json", "bwp",
        ]
        for expected in expected {
            #expect(present.contains(expected), "\(expected) is not there after ADD")
        }
        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node)
    }

    @Test func delOfWhatIsNotThereIsFine() async throws {
        let (node, plugin) = try await bridgedNode()
        try await plugin.delete(.pod("unknown"))
        _ = try await plugin.add(.pod("pod"))
        try await plugin.delete(NetworkDeleteRequest(podID: "pod", interfaceName: "eth1"))
        try await plugin.delete(NetworkDeleteRequest(podID: "pod", network: "other"))
        #expect(try await node.leftovers() != [])
        try await plugin.delete(.pod("pod"))
        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node)
    }

    @Test func repeatedAddAnswersTheSameAlsoAfterARestart() async throws {
        let (node, plugin) = try await bridgedNode()
        let first = try await plugin.add(.pod("pod"))
        #expect(try await plugin.add(.pod("pod")) == first)
        try await plugin.kill()
        #expect(try await node.start().add(.pod("pod")) == first)
    }

    @Test func addOfAPodThatIsThereWithOtherWishesIsRefused() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        let first = try await plugin.add(.pod("pod"))
        await expectRefusal(.alreadyExists, "attachmentDiffers") {
            _ = try await plugin.add(.pod("pod", ports: ports))
        }
        #expect(try await plugin.add(.pod("pod")) == first)
    }

    @Test(arguments: ["ip link delete $tap", "tc qdisc delete dev $tap ingress", "ip link set $tap down"])
    func addMendsLinksThatAreLostAndKeepsTheAddresses(_ damage: String) async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        let first = try await plugin.add(.pod("pod"))
        try await node.run("tap=\(first.device); \(damage)")
        #expect(try await plugin.add(.pod("pod")) == first)
        try await plugin.check(.of(first, "pod"))
        try await expectUse(of: first, by: plugin, on: node)
    }

    @Test func aPortOfTheHostLeadsToOnePod() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        _ = try await plugin.add(.pod("first", ports: ports))
        await expectRefusal(.alreadyExists, "hostPortTaken", "tcp port 8080 leads to the pod first") {
            _ = try await plugin.add(.pod("second", ports: ports))
        }
        let other = [PortMapping(transport: .udp, hostPort: 8080, containerPort: 80)]
        _ = try await plugin.add(.pod("third", ports: other))
        try await plugin.delete(.pod("first"))
        _ = try await plugin.add(.pod("second", ports: ports))
    }

    @Test func addAfterARebootMakesEverythingAnew() async throws {
        let (node, plugin) = try await bridgedNode()
        let first = try await plugin.add(.pod("pod"))
        try await plugin.kill()
        // A reboot leaves the files and nothing else.
        try await node.run("ip link delete \(first.device) && ip link delete cni0")
        try await node.loseNamespaces()

        let restarted = try await node.start()
        let second = try await restarted.add(.pod("pod"))
        #expect(second.device != first.device)
        try await expectUse(of: second, by: restarted, on: node)
    }

    @Test func delAfterARebootGivesTheAddressesBack() async throws {
        let (node, plugin) = try await bridgedNode()
        let attachment = try await plugin.add(.pod("pod"))
        try await node.run("ip link delete \(attachment.device)")
        try await node.loseNamespaces()
        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node)
    }

    @Test func delUsesTheConfigurationThatAddWasDoneWith() async throws {
        let (node, plugin) = try await bridgedNode()
        _ = try await plugin.add(.pod("pod", ports: ports))
        try await node.run("rm @/net.d/10-pods.conflist")
        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node)
    }

    @Test func cancelledAddLeavesNothing() async throws {
        let node = try await Node(["10-pods.conflist": Networks.list(Networks.bridgePlugin, Self.hanging)])
        try node.install("hang", Self.hang)
        let plugin = try await node.start()
        let adding = Task { try await plugin.add(.pod("pod")) }
        try await eventually("the chain hangs") { try await node.run("cat @/hanging 2>/dev/null || true") != "" }
        let child = try await node.run("cat @/hanging")
        #expect(try await node.leftovers() != [])

        adding.cancel()
        await expectRefusal(.cancelled, "cancelled") { _ = try await adding.value }
        try await expectNothingLeft(on: node)
        try await eventually("what it has started ends") { !isRunning(child) }
    }

    @Test func aChainThatHangsIsEndedAndUndone() async throws {
        let node = try await Node(
            ["10-pods.conflist": Networks.list(Networks.bridgePlugin, Self.hanging)],
            configuration: [#""pluginTimeoutSeconds": 4"#])
        try node.install("hang", Self.hang)
        let plugin = try await node.start()
        await expectRefusal(.deadlineExceeded, "cniPluginTimedOut") { _ = try await plugin.add(.pod("pod")) }
        let child = try await node.run("cat @/hanging")
        try await eventually("what it has started ends") { !isRunning(child) }
        try await expectNothingLeft(on: node)
    }

    /// The CNI plugin outlives the process that started it, and would go on after DEL.
    @Test func killInAddThenDelCleans() async throws {
        let node = try await Node(["10-pods.conflist": Networks.list(Networks.bridgePlugin, Self.hanging)])
        try node.install("hang", Self.hang)
        let plugin = try await node.start()
        let adding = Task { try await plugin.add(.pod("pod")) }
        try await eventually("the chain hangs") { try await node.run("cat @/hanging 2>/dev/null || true") != "" }
        let child = try await node.run("cat @/hanging")
        try await plugin.kill()
        await #expect(throws: (any Error).self) { _ = try await adding.value }
        #expect(isRunning(child))
        #expect(try await node.leftovers() != [])

        try await node.start().delete(.pod("pod"))
        try await expectNothingLeft(on: node)
        try await eventually("what it has started ends") { !isRunning(child) }
    }

    @Test func killInAddThenAddWorks() async throws {
        let node = try await Node(["10-pods.conflist": Networks.list(Networks.bridgePlugin, Self.hanging)])
        try node.install("hang", Self.hang)
        let plugin = try await node.start()
        let adding = Task { try await plugin.add(.pod("pod")) }
        try await eventually("the chain hangs") { try await node.run("cat @/hanging 2>/dev/null || true") != "" }
        try await plugin.kill()
        await #expect(throws: (any Error).self) { _ = try await adding.value }

        try await node.run("touch @/calm")
        let restarted = try await node.start()
        let attachment = try await restarted.add(.pod("pod"))
        try await expectUse(of: attachment, by: restarted, on: node)
    }

    @Test func addThatFailsInTheChainIsUndone() async throws {
        let failing = #"{"type": "fail"}"#
        let node = try await Node(["10-pods.conflist": Networks.list(Networks.bridgePlugin, failing)])
        try node.install(
            "fail",
            """
            [ $CNI_COMMAND = VERSION ] && echo '{"cniVersion": "1.0.0", "supportedVersions": ["1.0.0"]}' && exit
            [ $CNI_COMMAND = ADD ] || exit 0
            echo '{"cniVersion": "1.0.0", "code": 11, "msg": "not yet", "details": "the controller is away"}'; exit 1
            """)
        let plugin = try await node.start()
        await expectRefusal(.unavailable, "cniTryAgain", "not yet: the controller is away") {
            _ = try await plugin.add(.pod("pod"))
        }
        try await expectNothingLeft(on: node)
    }

    @Test func callsForOnePodTakeTurns() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        let answers = try await withThrowingTaskGroup { group in
            for _ in 0..<4 { group.addTask { try await plugin.add(.pod("pod")) } }
            return try await group.reduce(into: Set<NetworkAttachment>()) { $0.insert($1) }
        }
        #expect(answers.count == 1)
    }

    @Test func manyPodsComeAndGoAtOnce() async throws {
        let (node, plugin) = try await bridgedNode()
        let attachments = try await withThrowingTaskGroup { group in
            for number in 0..<8 { group.addTask { try await plugin.add(.pod("pod\(number)")) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(attachments.map(\.ipv4)).count == 8)
        #expect(Set(attachments.map(\.device)).count == 8)
        try await withThrowingTaskGroup { group in
            for number in 0..<8 { group.addTask { try await plugin.delete(.pod("pod\(number)")) } }
            try await group.waitForAll()
        }
        try await expectNothingLeft(on: node)
    }

    @Test func aSecondInterfaceIsAnAttachmentOfItsOwn() async throws {
        let second = Networks.list(
            Networks.bridgePlugin.replacing("cni0", with: "cni1").replacing("10.22.0", with: "10.22.1")
                .replacing("fd00:22::", with: "fd00:22:1::"), name: "storage")
        let node = try await Node(["10-pods.conflist": Networks.checked, "20-storage.conflist": second])
        let plugin = try await node.start()
        var request = NetworkAddRequest.pod("pod")
        let first = try await plugin.add(request)
        request.network = "storage"
        request.interfaceName = "eth1"
        let other = try await plugin.add(request)
        #expect(first.ipv4.hasPrefix("10.22.0."))
        #expect(other.ipv4.hasPrefix("10.22.1."))
        try await plugin.delete(NetworkDeleteRequest(podID: "pod", network: "storage", interfaceName: "eth1"))
        try await plugin.check(.of(first, "pod"))
    }

    /// Debian's bridge keeps one masquerading for all that a container has on a network.
    @Test func twoInterfacesOfAPodOnOneNetworkGoOneByOne() async throws {
        let (node, plugin) = try await bridgedNode()
        var request = NetworkAddRequest.pod("pod")
        let first = try await plugin.add(request)
        request.interfaceName = "eth1"
        _ = try await plugin.add(request)
        try await plugin.delete(NetworkDeleteRequest(podID: "pod", interfaceName: "eth1"))
        try await expectUse(of: first, by: plugin, on: node)
    }

    @Test func anAddressThatCannotBeHadIsRefused() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        // First one that is well: Debian's bridge does not recover from a first ADD that fails.
        let taken = try await plugin.add(.pod("taken"))
        var request = NetworkAddRequest.pod("pod")
        for address in ["192.0.2.1", "10.22.0.1", taken.ipv4, taken.ipv6] {
            request.addresses = [address]
            await expectRefusal(.failedPrecondition, "addressUnavailable", address) {
                _ = try await plugin.add(request)
            }
        }
        try await plugin.delete(.pod("taken"))
        try await expectNothingLeft(on: node)
    }

    @Test func aPoolThatIsEmptySaysSo() async throws {
        let small = Networks.bridgePlugin.replacing("10.22.0.0/24", with: "10.22.0.0/30")
        let node = try await Node(["10-pods.conflist": Networks.list(small)])
        let plugin = try await node.start()
        _ = try await plugin.add(.pod("first"))
        await expectRefusal(.resourceExhausted, "addressPoolEmpty", "no IP addresses available") {
            _ = try await plugin.add(.pod("second"))
        }
        try await plugin.delete(.pod("first"))
        _ = try await plugin.add(.pod("second"))
    }

    private func bridgedNode() async throws -> (node: Node, plugin: Driver) {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        return (node, try await node.start())
    }

    /// Expects that the pod's guest reaches its gateway, and that nothing is left once the pod is gone.
    private func expectUse(
        of attachment: NetworkAttachment, by plugin: Driver, on node: Node,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let guest = try await Guest(attachment, on: node)
        try await guest.run("ping -c 1 -W 5 10.22.0.1")
        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node, sourceLocation: sourceLocation)
    }

    /// Says that it is there, and waits with a child of its own, at most until the test's folder is gone.
    private static let hanging = #"{"type": "hang"}"#
    private static let hang = """
        [ $CNI_COMMAND = VERSION ] && echo '{"cniVersion": "1.0.0", "supportedVersions": ["1.0.0"]}' && exit
        [ $CNI_COMMAND = ADD ] || exit 0
        [ -e @/calm ] && jq .prevResult && exit
        while [ -e @/configuration.json ]; do sleep 0.2; done &
        echo $! > @/hanging.partial; mv @/hanging.partial @/hanging
        wait
        """
}

extension NetworkCheckRequest {
    static func of(_ attachment: NetworkAttachment, _ pod: String) -> NetworkCheckRequest {
        NetworkCheckRequest(podID: pod, network: "default", interfaceName: "eth0", attachment: attachment)
    }
}
