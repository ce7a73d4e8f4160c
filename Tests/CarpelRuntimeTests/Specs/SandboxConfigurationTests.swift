import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import Testing

@testable import CarpelRuntime

@Suite struct SandboxConfigurationTests {
    private func configuration(_ pod: PodSandboxConfig, addresses: [String] = []) throws -> SandboxConfiguration {
        try sandboxConfiguration(
            of: pod, scratchDisk: "scratch", clock: 7, entropy: Array(repeating: 1, count: 32), addresses: addresses)
    }

    @Test(arguments: [
        ("web", "", "web"), ("web", "other", "other"), ("Web_Server", "", "web-server"), ("-a-", "", "a"),
        ("пример", "", "pod"), ("a.b", "", "a-b"),
        (String(repeating: "a", count: 70), "", String(repeating: "a", count: 63)),
        (String(repeating: "a", count: 62) + "_b", "", String(repeating: "a", count: 62)),
    ])
    func theHostNameIsCRIsOrMadeOfThePodsName(name: String, given: String, expected: String) throws {
        let pod = samplePod {
            $0.metadata?.name = name
            $0.hostname = given
        }
        #expect(try configuration(pod).hostname == expected)
        try checkHostname(expected, at: "config.hostname")
    }

    @Test func resolvConfHoldsWhatCRISays() throws {
        #expect(
            try configuration(samplePod()).resolvConf == """
                search default.svc.cluster.local cluster.local
                nameserver 10.96.0.10
                options ndots:5

                """)
    }

    @Test func withoutDNSTheNodesResolverIsNotTaken() throws {
        let text = try configuration(samplePod { $0.dnsConfig = nil }).resolvConf
        #expect(text.hasPrefix("#"))
        #expect(!text.contains("nameserver"))
    }

    @Test func hostsNameTheLoopbackAndThePod() throws {
        let pod = samplePod { $0.hostname = "web.example.org" }
        let lines = try configuration(pod, addresses: ["10.0.0.5", "fd00::5"]).hosts.split(separator: "\n")
        #expect(lines.first == "127.0.0.1\tlocalhost")
        #expect(lines.contains("::1\tlocalhost ip6-localhost ip6-loopback"))
        #expect(lines.suffix(2) == ["10.0.0.5\tweb.example.org web", "fd00::5\tweb.example.org web"])
    }

    @Test func withoutAddressThePodsNameIsTheLoopback() throws {
        let lines = try configuration(samplePod()).hosts.split(separator: "\n")
        #expect(lines.suffix(2) == ["127.0.0.1\tweb", "::1\tweb"])
    }

    /// The agent takes a name with a slash in it for one with slashes between its parts.
    @Test(arguments: [
        ("vm.swappiness", "vm.swappiness"), ("vm/swappiness", "vm.swappiness"),
        ("net/ipv4/conf/eth0.1/mtu", "net/ipv4/conf/eth0.1/mtu"),
        ("net.ipv4.conf.eth0/1.mtu", "net/ipv4/conf/eth0.1/mtu"),
    ])
    func sysctlsArriveAsTheAgentReadsThem(given: String, handedOn: String) throws {
        let pod = samplePod { $0.linux?.sysctls = [given: "1"] }
        #expect(try configuration(pod).sysctls == [handedOn: "1"])
    }

    @Test func aMachineIsNotStartedWithoutEntropy() {
        let error = refusal {
            _ = try sandboxConfiguration(of: samplePod(), scratchDisk: "s", clock: 0, entropy: [1, 2, 3])
        }
        #expect(error?.reason == "entropyMissing")
    }
}
