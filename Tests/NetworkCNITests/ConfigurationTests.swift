import CarpelCore
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkCNI

/// The plugin's configuration, and which network is which.
@Suite struct ConfigurationTests {
    @Test func nothingConfiguredIsKubernetesFolders() throws {
        let configuration = try Configuration(text: Array("{}".utf8))
        #expect(configuration.configurationFolder == "/etc/cni/net.d")
        #expect(configuration.binaryFolders == ["/opt/cni/bin", "/usr/lib/cni"])
        #expect(configuration.pluginTimeoutSeconds == 60)
    }

    @Test(arguments: [
        (#"{"binaryFolders": "x"}"#, "binaryFolders"), (#"{"binaryFolders": []}"#, "binaryFolders"),
        (#"{"binaryFolders": ["bin"]}"#, "bin is not an absolute path"),
        (#"{"binaryFolders": ["/a:/b"]}"#, "/a:/b"), (#"{"pluginTimeoutSeconds": 0}"#, "pluginTimeoutSeconds"),
        (
            #"{"networks": [{"name": "x", "cniVersion": "1.0.0"}]}"#,
            "networks[0] of the plugin's configuration: plugins is missing"
        ),
    ])
    func aWrongMemberIsNamed(_ text: String, _ words: String) {
        let error = #expect(throws: PluginError.self) { try Configuration(text: Array(text.utf8)) }
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test func theFirstFileByNameIsTheDefaultNetworkAndOthersGoByTheirOwnNames() throws {
        let folder = try TemporaryFolder()
        let list = #"{"cniVersion": "1.0.0", "name": "NAME", "plugins": [{"type": "bridge"}]}"#
        _ = try folder.file("20-b.conflist", list.replacing("NAME", with: "second"))
        _ = try folder.file("10-a.conf", #"{"cniVersion": "0.4.0", "name": "first", "type": "ptp"}"#)
        _ = try folder.file("00-none.txt", "not a network")
        _ = try folder.file("05-calico-kubeconfig", "neither")
        _ = try folder.file("30-broken.json", "{")
        let networks = NetworkConfigurations(given: [], folder: folder.path)

        let first = try networks.network("default")
        #expect(first.name == "first")
        #expect(first.plugins.map(\.type) == ["ptp"])
        #expect(try networks.network("second").source == "\(folder.path)/20-b.conflist")
        // The file that cannot be read may be the one.
        let error = #expect(throws: PluginError.self) { try networks.network("third") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("30-broken.json") == true)
    }

    @Test func networksThatAreGivenComeBeforeFiles() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("10-a.conf", #"{"cniVersion": "0.4.0", "name": "file", "type": "ptp"}"#)
        let given = try JSONValue(text: #"{"cniVersion": "1.0.0", "name": "given", "plugins": [{"type": "ptp"}]}"#)
        let networks = NetworkConfigurations(given: [given], folder: folder.path)
        #expect(try networks.network("default").name == "given")
        #expect(try networks.network("given").name == "given")
        #expect(try networks.network("file").name == "file")
    }

    @Test(arguments: ["", "-a", "a-b", "a b", "a/b", ".", "ä", String(repeating: "a", count: 65)])
    func aPodIDThatIsNoneIsRefused(_ id: String) {
        #expect(throws: PluginError.self) { try AttachmentKey(podID: id, interfaceName: "eth0") }
    }

    @Test(arguments: ["", ".", "..", "a/b", "a:b", "a b", "sixteencharacter", "a\n"])
    func anInterfaceNameThatTheKernelWouldNotTakeIsRefused(_ name: String) {
        #expect(throws: PluginError.self) { try AttachmentKey(podID: "pod", interfaceName: name) }
    }

    @Test func anInterfaceIsAContainerToCNI() throws {
        #expect(try AttachmentKey(podID: "pod", interfaceName: "eth0").containerID == "pod")
        #expect(try AttachmentKey(podID: "pod", interfaceName: "eth1").containerID == "pod-eth1")
        #expect(try AttachmentKey(podID: "pod", interfaceName: "a@b").containerID == "pod-a_40b")
    }

    @Test(arguments: [
        #""addresses": ["not an address"]"#, #""addresses": [""]"#, #""addresses": ["10.1.2.3/33"]"#,
        #""macAddress": "02:00:00:00:00""#, #""macAddress": "01:00:00:00:00:01""#,
        #""macAddress": "0200:00:00:00:0:1""#,
        #""portMappings": [{"transport": "tcp", "hostPort": 1, "containerPort": 0}]"#,
        #""portMappings": [{"transport": "tcp", "hostPort": 1, "containerPort": 1, "hostIP": "localhost"}]"#,
        #""bandwidth": {"egressBitsPerSecond": 7}"#,
    ])
    func aMalformedWishIsRefused(_ member: String) throws {
        let valid = NetworkAddRequest(pod: PodIdentity(id: "pod"))
        #expect(throws: Never.self) { try valid.validate() }
        guard case .object(var members) = try JSONValue(encoding: valid),
            case .object(let spoilt) = try JSONValue(text: "{\(member)}")
        else {
            return
        }
        members.merge(spoilt) { $1 }
        let request = try JSONDecoder().decode(
            NetworkAddRequest.self, from: JSONEncoder().encode(JSONValue.object(members)))
        let error = #expect(throws: PluginError.self) { try request.validate() }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix(try #require(spoilt.keys.first)) == true, "\(String(describing: error))")
    }

    @Test func aValueThatWouldBreakTheArgumentsIsLeftOut() {
        let request = NetworkAddRequest(pod: PodIdentity(id: "pod", name: "a;b=c", namespace: "ns"))
        #expect(request.cniArguments == "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_INFRA_CONTAINER_ID=pod")
    }
}
