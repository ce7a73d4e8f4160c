import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import StorageLocal

@Suite struct ConfigurationTests {
    @Test func nothingNeedsToBeConfigured() throws {
        let configuration = try PoolConfiguration(json: Array("{}".utf8))
        #expect(configuration.pool == nil && configuration.capacityBytes == nil)
        #expect(configuration.defaultCapacityBytes == 1 << 30)
    }

    @Test(arguments: [
        (#"{"pol": "/x"}"#, "pol"), (#"{"pool": "x"}"#, "pool"), (#"{"pool": 1}"#, "pool"),
        (#"{"capacityBytes": 0}"#, "capacityBytes"), (#"{"capacityBytes": "1"}"#, "capacityBytes"),
        (#"{"defaultCapacityBytes": -1}"#, "defaultCapacityBytes"), ("[]", "storage plugin"), ("{", "storage plugin"),
    ])
    func whatIsWrongIsNamed(_ json: String, _ member: String) {
        let error = #expect(throws: PluginError.self) { try PoolConfiguration(json: Array(json.utf8)) }
        #expect(error?.reason == "configurationInvalid" && error?.message.contains(member) == true, "\(error as Any)")
    }

    @Test func theManifestDescribesTheSameMembers() throws {
        let manifest = try #require(
            JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: "\(repository)/plugins/storage-local/plugin.json")))
                as? [String: Any])
        let schema = try #require(manifest["configurationSchema"] as? [String: Any])
        let members = try #require(schema["properties"] as? [String: Any])
        #expect(Set(members.keys) == ["pool", "capacityBytes", "defaultCapacityBytes"])
        #expect(schema["additionalProperties"] as? Bool == false)
        #expect(manifest["capabilities"] as? [String] == [])
    }

    @Test(arguments: [
        (["size": "1"], "parameterUnknown", "size"), (["format": "vmdk"], "parameterInvalid", "vmdk"),
        (["fsType": "btrfs"], "parameterInvalid", "btrfs"),
        (["readBytesPerSecond": "1M"], "parameterInvalid", "readBytesPerSecond"),
        (["writeBytesPerSecond": "0"], "parameterInvalid", "writeBytesPerSecond"),
        (["readOperationsPerSecond": "-1"], "parameterInvalid", "readOperationsPerSecond"),
        (["writeOperationsPerSecond": ""], "parameterInvalid", "writeOperationsPerSecond"),
    ])
    func aParameterThatIsWrongIsNamed(_ parameters: [String: String], _ reason: String, _ word: String) async throws {
        let error = #expect(throws: PluginError.self) {
            try VolumeSettings(parameters: parameters, mode: .filesystem)
        }
        #expect(error?.code == .invalidArgument && error?.reason == reason)
        #expect(error?.message.contains(word) == true)
    }

    @Test func aBlockVolumeHasNoFileSystemToChoose() {
        let error = #expect(throws: PluginError.self) {
            try VolumeSettings(parameters: ["fsType": "ext4"], mode: .block)
        }
        #expect(error?.reason == "parameterInvalid")
    }

    @Test func aPoolElsewhereIsUsed() async throws {
        let folder = try TemporaryFolder()
        let pool = try await TestPool(#"{"pool": "\#(folder.path)/elsewhere", "capacityBytes": 1073741824}"#)
        let volume = try await pool.create("data")
        #expect(try pool.disk(volume).hasPrefix("\(folder.path)/elsewhere/volumes/"))
    }
}
