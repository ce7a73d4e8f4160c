import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkBridge

@Suite struct AssignmentTests {
    private static let small = oneNetwork("10.0.0.0/29")

    @Test func theSamePodGetsTheSameAnswerAgain() async throws {
        let host = try await TestHost(
            oneNetwork("10.0.0.0/24", "fd00::/64", also: #""mtu": 1400"#, #""dns": {"servers": ["10.0.0.53"]}"#))
        let request = NetworkAddRequest.pod(
            "web", ports: [PortMapping(transport: .tcp, hostPort: 80, containerPort: 8080)],
            bandwidth: Bandwidth(ingressBitsPerSecond: 1_000_000, egressBitsPerSecond: 2_000_000))
        let answer = try await host.plugin.add(request)

        #expect(
            answer.addresses == [
                IPConfiguration(address: "10.0.0.2/24", gateway: "10.0.0.1"),
                IPConfiguration(address: "fd00::2/64", gateway: "fd00::1"),
            ])
        #expect(
            answer.routes == [
                Route(destination: "0.0.0.0/0", gateway: "10.0.0.1"), Route(destination: "::/0", gateway: "fd00::1"),
            ])
        #expect(answer.mtu == 1400)
        #expect(answer.dns?.servers == ["10.0.0.53"])
        #expect(answer.macAddress.hasPrefix("02:"))
        #expect(try await host.plugin.add(request) == answer)
        #expect(try await host.restarted().add(request) == answer)
        var renamed = request
        renamed.pod.name = "another-name"
        #expect(try await host.plugin.add(renamed) == answer)
    }

    @Test func thePodThatAsksForSomethingElseIsToldSo() async throws {
        let host = try await TestHost(Self.small)
        _ = try await host.plugin.add(.pod("web"))
        let error = await #expect(throws: PluginError.self) {
            try await host.plugin.add(.pod("web", addresses: ["10.0.0.5"]))
        }
        #expect(error?.code == .alreadyExists)
        #expect(error?.reason == "attachmentDiffers")
    }

    @Test func aPodCanHaveSeveralCards() async throws {
        let host = try await TestHost(Self.small)
        let one = try await host.plugin.add(.pod("web", interface: "eth0"))
        let two = try await host.plugin.add(.pod("web", interface: "eth1"))
        #expect(one.device != two.device && one.macAddress != two.macAddress)
        #expect(try (one.ipv4, two.ipv4) == ("10.0.0.2", "10.0.0.3"))
        try await host.plugin.delete(NetworkAddRequest.pod("web", interface: "eth0").deletion)
        #expect(try await host.plugin.add(.pod("web", interface: "eth1")) == two)
    }

    @Test func theAddressThatIsAskedForIsGiven() async throws {
        let host = try await TestHost()
        let answer = try await host.plugin.add(
            .pod("web", addresses: ["10.88.3.4", "FD88::0:99"], macAddress: "02:AA:00:00:00:01"))
        #expect(answer.addresses.map(\.address) == ["10.88.3.4/16", "fd88::99/64"])
        #expect(answer.macAddress == "02:aa:00:00:00:01")
        let half = try await host.plugin.add(.pod("half", addresses: ["fd88::98"]))
        #expect(half.addresses.map(\.address) == ["10.88.0.2/16", "fd88::98/64"], "the other family is assigned")
    }

    @Test(arguments: [
        ("10.88.0.2", PluginError.Code.alreadyExists, "addressInUse"),
        ("10.88.0.1", .alreadyExists, "addressInUse"),
        ("10.89.0.1", .invalidArgument, "addressOutsideSubnet"),
        ("10.88.0.0", .invalidArgument, "addressOutsideSubnet"),
        ("10.88.255.255", .invalidArgument, "addressOutsideSubnet"),
        ("fd88::", .invalidArgument, "addressOutsideSubnet"),
        ("10.88.9.9", .invalidArgument, "addressExcluded"),
        ("ten", .invalidArgument, "addressInvalid"),
    ])
    func anAddressThatCannotBeGivenIsRefused(address: String, code: PluginError.Code, reason: String) async throws {
        let host = try await TestHost(
            oneNetwork(#"{"subnet": "10.88.0.0/16", "exclude": ["10.88.9.0/24"]}"#, "fd88::/64"))
        _ = try await host.plugin.add(.pod("first"))
        let error = await #expect(throws: PluginError.self) {
            try await host.plugin.add(.pod("second", addresses: [address]))
        }
        #expect(error?.code == code)
        #expect(error?.reason == reason)
        let unharmed = try await host.plugin.add(.pod("second"))
        #expect(try unharmed.ipv4 == "10.88.0.3", "the refused request took nothing")
    }

    @Test func anEmptyPoolSaysSoUntilAnAddressIsGivenBack() async throws {
        let host = try await TestHost(Self.small)
        for number in 2...6 { _ = try await host.plugin.add(.pod("p\(number)")) }
        let error = await #expect(throws: PluginError.self) { try await host.plugin.add(.pod("p7")) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.reason == "addressPoolEmpty")
        try await host.plugin.delete(NetworkAddRequest.pod("p4").deletion)
        #expect(try await host.plugin.add(.pod("p7")).ipv4 == "10.0.0.4")
    }

    @Test func theAddressGivenBackLongestAgoComesBackFirstAndLast() async throws {
        let host = try await TestHost(Self.small)
        for number in 2...4 { _ = try await host.plugin.add(.pod("p\(number)")) }
        for number in [3, 2, 4] { try await host.plugin.delete(NetworkAddRequest.pod("p\(number)").deletion) }

        let plugin = try host.restarted()
        var order: [String] = []
        for number in 10...14 { order.append(try await plugin.add(.pod("p\(number)")).ipv4) }
        #expect(order == ["10.0.0.5", "10.0.0.6", "10.0.0.3", "10.0.0.2", "10.0.0.4"])
    }

    /// Through two processes of the plugin, as when a new version works while an old one drains.
    @Test func twoHundredPodsAtOnceGetTwoHundredAddresses() async throws {
        let host = try await TestHost()
        let plugins = [host.plugin, try host.restarted()]
        let answers = try await withThrowingTaskGroup(of: NetworkAttachment.self) { group in
            for number in 0..<200 { group.addTask { try await plugins[number % 2].add(.pod("pod\(number)")) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(try answers.map { try $0.ipv4 }).count == 200)
        #expect(Set(try answers.map { try $0.ipv6 }).count == 200)
        #expect(Set(answers.map(\.macAddress)).count == 200)
        #expect(Set(answers.map(\.device)).count == 200)
        let taps = try await host.shell("ip -oneline link show type tun | wc -l")
        #expect(taps.trimmingCharacters(in: .whitespacesAndNewlines) == "200")
        _ = try await host.plugin.collectGarbage(NetworkCollectRequest(valid: []))
    }

    @Test func anOldReleaseIsForgottenRatherThanKeptForever() throws {
        let folder = try TemporaryFolder()
        let ledger = try Ledger(path: "\(folder.path)/records.sqlite", owner: "test")
        let network = try BridgeConfiguration(json: Array(Self.small.utf8)).network("default")
        let known = try ledger.database.write { database in
            for pod in 0..<4 {
                let key = AttachmentKey(pod: "p\(pod)", network: "default", interface: "eth0")
                _ = try AddressAssignment(database: database, network: network, key: key, longestMemory: 2).assign([])
                try database.execute(
                    sql: "UPDATE address SET pod = NULL, interface = NULL, released = ? WHERE pod = ?",
                    arguments: [pod, key.pod])
            }
            return try AddressRecord.fetchAll(database).map(\.address)
        }
        #expect(Set(known) == ["10.0.0.3", "10.0.0.4", "10.0.0.5"])
    }

    @Test func recordsThatCannotBeReadStopThePlugin() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("records.sqlite", String(repeating: "no database ", count: 500))
        let environment = PluginEnvironment(name: "network-bridge", stateFolder: folder.path, machineGroup: 0)
        let error = #expect(throws: PluginError.self) {
            try BridgePlugin(environment: environment, namespace: nil)
        }
        #expect(error?.code == .dataLoss)
        #expect(error?.reason == "recordsUnreadable")
    }
}
