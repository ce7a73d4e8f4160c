import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

/// CHECK, GC and STATUS with Debian's plugins.
@Suite(.serialized) struct CheckTests {
    @Test func checkHoldsAfterAddAndAfterARestart() async throws {
        let bandwidth = #"{"type": "bandwidth", "capabilities": {"bandwidth": true}}"#
        let node = try await Node([
            "10-pods.conflist": Networks.list(Networks.bridgePlugin, bandwidth, #"{"type": "firewall"}"#)
        ])
        let plugin = try await node.start()
        let limit = Bandwidth(ingressBitsPerSecond: 16_000_000, egressBitsPerSecond: 16_000_000)
        let attachment = try await plugin.add(.pod("pod", bandwidth: limit))
        try await plugin.check(.of(attachment, "pod"))
        try await plugin.kill()
        try await node.start().check(.of(attachment, "pod"))
    }

    @Test(arguments: [
        ("ip link delete $tap", "attachmentBroken"),
        ("ip link set $tap down", "attachmentBroken"),
        ("ip link delete $uplink", "attachmentBroken"),
        ("tc qdisc delete dev $tap ingress", "attachmentBroken"),
        ("nsenter --net=$namespace tc qdisc delete dev eth0 ingress", "attachmentBroken"),
        ("nsenter --net=$namespace ip link delete eth0", "attachmentBroken"),
        ("nsenter --net=$namespace ip link set eth0 address 02:00:00:00:00:99", "attachmentBroken"),
        ("nsenter --net=$namespace ip link set eth0 mtu 1400", "attachmentBroken"),
        ("umount $namespace", "attachmentBroken"),
        // What only the chain can know.
        ("nsenter --net=$namespace ip address flush dev eth0", "cniPluginFailed"),
        ("ip link delete cni0", "cniPluginFailed"),
    ])
    func checkNoticesWhatIsMissing(_ damage: String, _ reason: String) async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        let attachment = try await plugin.add(.pod("pod"))
        try await plugin.check(.of(attachment, "pod"))
        try await node.run(
            """
            tap=\(attachment.device); uplink=$(ls /proc/sys/net/ipv4/conf | grep ^cu)
            namespace=\(node.stateFolder)/namespaces/pod@eth0; \(damage)
            """)
        await expectRefusal(reason == "cniPluginFailed" ? .internal : .failedPrecondition, reason) {
            try await plugin.check(.of(attachment, "pod"))
        }
        // What is left of it goes all the same.
        try await plugin.delete(.pod("pod"))
        try await eventually("nothing is left, also of a namespace that the kernel takes apart") {
            try await node.leftovers(ignoringRules: true) == []
        }
    }

    @Test func checkOfAnotherAttachmentIsRefused() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        var attachment = try await plugin.add(.pod("pod"))
        await expectRefusal(.notFound, "attachmentUnknown") { try await plugin.check(.of(attachment, "other")) }
        attachment.mtu = 9000
        await expectRefusal(.failedPrecondition, "attachmentDiffers") {
            try await plugin.check(.of(attachment, "pod"))
        }
    }

    @Test func garbageCollectionLeavesWhatIsListed() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        let kept = try await plugin.add(.pod("kept"))
        for pod in ["lost", "forgotten"] { _ = try await plugin.add(.pod(pod)) }

        let removed = try await plugin.collectGarbage(valid: [.pod("kept"), .pod("neverSeen")])
        #expect(Set(removed) == [.pod("lost"), .pod("forgotten")])
        try await plugin.check(.of(kept, "kept"))
        #expect(try await plugin.collectGarbage(valid: []) == [.pod("kept")])
        try await expectNothingLeft(on: node)
    }

    @Test func garbageCollectionDoesItsWorkBesideABrokenNetwork() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        let plugin = try await node.start()
        _ = try await plugin.add(.pod("lost"))
        try await node.run("echo '{' > @/net.d/10-pods.conflist")
        await expectRefusal(.failedPrecondition, "networkConfigurationInvalid", "10-pods.conflist") {
            _ = try await plugin.collectGarbage(valid: [])
        }
        try await expectNothingLeft(on: node)
    }

    @Test func garbageCollectionTouchesNothingWhileARecordIsUnreadable() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start()
        let attachment = try await plugin.add(.pod("pod"))
        _ = try await plugin.add(.pod("broken"))
        try await node.run("echo '{\"request\"' > \(node.stateFolder)/attachments/broken@eth0.json")

        await expectRefusal(.dataLoss, "recordUnreadable", "broken@eth0.json") {
            _ = try await plugin.collectGarbage(valid: [])
        }
        try await plugin.check(.of(attachment, "pod"))
        await expectRefusal(.dataLoss, "recordUnreadable") { try await plugin.delete(.pod("broken")) }
    }

    @Test func statusHoldsWhenAnAddWould() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        try await node.start().status()
    }

    @Test func statusSaysThatThereIsNoNetworkYet() async throws {
        let node = try await Node()
        let plugin = try await node.start()
        await expectRefusal(.unavailable, "networkConfigurationMissing") { try await plugin.status() }
        // A network add-on arrives.
        try await node.run("mkdir -p @/net.d")
        _ = try node.folder.file("net.d/10-late.conflist", Networks.list(#"{"type": "ptp"}"#, name: "late"))
        try await plugin.status()
    }

    @Test func statusNamesABinaryThatIsMissing() async throws {
        let node = try await Node(["10-pods.conflist": Networks.list(#"{"type": "absent"}"#)])
        let plugin = try await node.start()
        await expectRefusal(.failedPrecondition, "cniPluginMissing", "absent") { try await plugin.status() }
        let other = try await Node([
            "10-pods.conflist": Networks.list(#"{"type": "bridge", "ipam": {"type": "nowhere"}}"#)
        ])
        let second = try await other.start()
        await expectRefusal(.failedPrecondition, "cniPluginMissing", "nowhere") { try await second.status() }
    }
}
