import CarpelNetlink
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkBridge

@Suite struct LifecycleTests {
    private static let everything = NetworkAddRequest.pod(
        "web",
        ports: [
            PortMapping(transport: .tcp, hostPort: 80, containerPort: 8080),
            PortMapping(transport: .udp, hostPort: 80, containerPort: 8080, hostIP: "192.0.2.1"),
        ], bandwidth: Bandwidth(ingressBitsPerSecond: 1_000_000, egressBitsPerSecond: 2_000_000))

    @Test func whatIsDeletedLeavesNothing() async throws {
        let host = try await TestHost()
        _ = try await host.plugin.add(.pod("other"))
        let before = try await host.state()
        _ = try await host.plugin.add(Self.everything)
        #expect(try await host.state() != before)
        try await host.plugin.delete(Self.everything.deletion)
        #expect(try await host.state() == before)
        try await host.plugin.delete(Self.everything.deletion)
        try await host.plugin.delete(NetworkAddRequest.pod("nobody", network: "nowhere").deletion)
        #expect(try await host.state() == before)
    }

    @Test func theTapIsTheMachinesGroups() async throws {
        let host = try await TestHost()
        let answer = try await host.plugin.add(.pod("web"))
        let tap = try await host.shell("ip -details link show dev \(answer.device)")
        for words in ["tun type tap", "vnet_hdr on", "persist on", "group 4711", "master carpel0"] {
            #expect(tap.contains(words), "\(words): \(tap)")
        }
        #expect(tap.contains("alias carpel:\(Ownership(stateFolder: host.folder.path).id):web:default:eth0"))
    }

    /// As libvirt has it for `<target managed='no'/>`: the tap is there, and QEMU opens it by its name.
    @Test func aMachineWithoutPrivilegesOpensItsTap() async throws {
        let host = try await TestHost()
        let device = try await host.plugin.add(.pod("web")).device
        let machine = """
            qemu-system-x86_64 -machine q35,accel=tcg -nodefaults -display none -S -device virtio-net-pci,netdev=tap \
            -netdev tap,id=tap,ifname=\(device),script=no,downscript=no,vnet_hdr=on
            """
        let arguments = { (group: Int) in
            [
                "--net=\(host.namespace.path)", "setpriv", "--reuid=65534", "--regid=\(group)", "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "sh", "-c", "exec \(machine)",
            ]
        }
        let stranger = try ChildProcess("/usr/bin/nsenter", arguments(4712), log: "\(host.folder.path)/stranger.log")
        try await eventually("a machine of another group gives up") { !stranger.isRunning }
        #expect(stranger.log.contains("Operation not permitted"), "\(stranger.log)")

        let process = try ChildProcess("/usr/bin/nsenter", arguments(4711), log: "\(host.folder.path)/machine.log")
        try await eventually("the machine has its tap") {
            guard process.isRunning else { throw SupportError(process.log) }
            return try await host.shell("ip -oneline link show dev \(device)").contains("state UP")
        }
        try await process.end(SIGKILL)
    }

    /// As after a kill between the record and the rest.
    @Test func aRecordWithoutDevicesIsFinishedByAddAndForgottenByDelete() async throws {
        let host = try await TestHost()
        let answer = try await host.plugin.add(Self.everything)
        try await host.shell("ip link delete \(answer.device); nft flush ruleset")

        #expect(try await host.plugin.add(Self.everything) == answer)
        try await host.plugin.check(check(answer))
        try await host.shell("ip link delete \(answer.device); nft delete table bridge \(host.table)")
        try await host.plugin.delete(Self.everything.deletion)
        #expect(try host.plugin.ledger.attachments().isEmpty)
        #expect(try await host.shell("nft list ruleset").contains(answer.device) == false)
    }

    @Test func anAddThatFailsLeavesNothing() async throws {
        let host = try await TestHost()
        _ = try await host.plugin.add(.pod("other"))
        let before = try await host.state()
        // Somebody else has the name that the pod's limiter will have: the last thing that is made before the port.
        let device = try await host.plugin.add(Self.everything).device
        try await host.plugin.delete(Self.everything.deletion)
        let limiter = "cpi" + device.dropFirst(3)
        try await host.shell("ip link add \(limiter) type ifb; ip link set \(limiter) alias mine")

        let error = await #expect(throws: PluginError.self) { try await host.plugin.add(Self.everything) }
        #expect(error?.reason == "deviceTaken")
        #expect(try host.plugin.ledger.attachments().map(\.pod) == ["other"])
        try await host.shell("ip link delete \(limiter)")
        #expect(try await host.state() == before)
    }

    @Test func aFailingRepetitionLeavesARunningPodAlone() async throws {
        let host = try await TestHost()
        let guest = try await host.guest(.pod("web"))
        try await host.shell("sysctl -qw net.ipv4.ip_forward=0; ip link set carpel0 alias mine")
        let error = await #expect(throws: PluginError.self) { try await host.plugin.add(.pod("web")) }
        #expect(error?.reason == "bridgeTaken")
        try await talk(.tcp, from: host.namespace, server: guest.namespace, at: guest.ipv4, 80)
    }

    @Test func aCancelledAddLeavesNothing() async throws {
        let host = try await TestHost()
        _ = try await host.plugin.add(.pod("other"))
        let before = try await host.state()
        for number in 0..<20 {
            let plugin = host.plugin
            let task = Task { try await plugin.add(.pod("web\(number)")) }
            // A little later each time: before the call, in it, after it.
            for _ in 0..<number * 20 { await Task.yield() }
            task.cancel()
            switch await task.result {
            case .success: try await plugin.delete(NetworkAddRequest.pod("web\(number)").deletion)
            case .failure(let error): #expect(error is CancellationError)
            }
            #expect(try host.plugin.ledger.attachments().map(\.pod) == ["other"])
        }
        #expect(try await host.state() == before)
    }

    @Test func anAddThatIsCancelledFromTheBeginningDoesNothing() async throws {
        let host = try await TestHost()
        let plugin = host.plugin
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await plugin.add(.pod("web"))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await host.shell("ip -oneline link show type tun").isEmpty)
    }

    @Test(arguments: [
        ("ip link set $TAP nomaster", "is no port of carpel0"),
        ("ip link set $TAP down", "is down"),
        ("ip link set $TAP mtu 1300", "MTU of 1300"),
        ("ip link delete $TAP", "the tap device"),
        ("bridge link set dev $TAP isolated on", "the settings of the port"),
        ("ip link delete carpel0", "the bridge carpel0"),
        ("ip address delete 10.88.0.1/16 dev carpel0", "the address 10.88.0.1/16"),
        ("nft delete table inet $TABLE", "the nftables table inet"),
        ("nft flush chain bridge $TABLE $TAP", "rules of the chain"),
        ("nft delete element bridge $TABLE pods { $TAP }", "pods"),
        ("nft delete element inet $TABLE publishedEverywhere4 { tcp . 80 }", "publishedEverywhere4"),
        ("tc qdisc delete dev $TAP root", "what the pod receives"),
        ("tc qdisc delete dev $TAP ingress", "what the pod sends"),
        ("tc filter delete dev $TAP ingress", "what the pod sends"),
        ("echo 0 > /proc/sys/net/ipv4/ip_forward", "the forwarding of IPv4"),
    ])
    func checkNamesWhatIsMissingAndAddMendsIt(damage: String, complaint: String) async throws {
        let host = try await TestHost()
        let answer = try await host.plugin.add(Self.everything)
        try await host.plugin.check(check(answer))

        let damage = damage.replacing("$TAP", with: answer.device).replacing("$TABLE", with: host.table)
        try await host.shell(damage)
        let error = await #expect(throws: PluginError.self) { try await host.plugin.check(check(answer)) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.reason == "attachmentBroken")
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        #expect(try await host.plugin.add(Self.everything) == answer)
        try await host.plugin.check(check(answer))
    }

    @Test func checkKnowsWhatAddAnswered() async throws {
        let host = try await TestHost()
        var answer = try await host.plugin.add(Self.everything)
        answer.mtu = 1499
        await #expect(throws: PluginError.self) { try await host.plugin.check(check(answer)) }
        let unknown = NetworkCheckRequest(podID: "x", network: "default", interfaceName: "eth0", attachment: answer)
        await #expect(throws: PluginError.self) { try await host.plugin.check(unknown) }
    }

    /// Traffic goes on while the plugin is replaced: its rules are made anew without a gap.
    @Test func aRestartLeavesPodsReachable() async throws {
        let host = try await TestHost()
        let outside = try await host.outsideWorld()
        let mapping = PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)
        let guest = try await host.guest(.pod("web", ports: [mapping]))
        let listener = try await TestSocket.listening(in: guest.namespace, .tcp, guest.ipv4, 80)
        let caller = try await TestSocket.connected(in: outside, .tcp, "198.51.100.1", 8080)
        let connection = try listener.accepted().0

        let plugin = try host.restarted()
        try await plugin.status()
        try caller.send("still")
        #expect(try connection.received().text == "still")
        try await plugin.delete(NetworkAddRequest.pod("web").deletion)
        #expect(try await host.shell("nft list ruleset").contains("8080") == false)
    }

    private func check(_ answer: NetworkAttachment) -> NetworkCheckRequest {
        NetworkCheckRequest(podID: "web", network: "default", interfaceName: "eth0", attachment: answer)
    }
}

extension TestHost {
    /// Devices, their disciplines and filters, and rules, without what changes by itself.
    func state() async throws -> String {
        try await shell(
            """
            ip -oneline link show | sed -E 's/^[0-9]+: ([^:@]+).*/\\1/'
            ip -oneline address show | sed -E 's/^[0-9]+: //' | grep -v fe80
            tc qdisc show | sed -E 's/refcnt.*//' | sort
            nft list tables | sort | while read table; do nft --stateless list $table; done
            """)
    }
}
