import CarpelCore
import CarpelPluginSDK
import Foundation

@testable import CarpelPlugins

extension FuzzTarget {
    /// What a plugin answers the daemon, verb by verb.
    static let pluginAnswers = FuzzTarget(name: "plugin-answers", maximumLength: 4096) {
        let volume =
            #"{"id":"v","name":"n","capacityBytes":1073741824,"allocatedBytes":-1,"mode":"filesystem","source":{"snapshot":"s"},"parameters":{"fsType":"xfs"},"createdAt":1700000000000000000,"publishedTo":["p"]}"#
        let snapshot = #"{"id":"s","name":"n","sourceVolumeID":"v","capacityBytes":1,"createdAt":1}"#
        let results = [
            #"{"device":"tap0","macAddress":"02:00:00:12:34:56","mtu":1500,"addresses":[{"address":"10.88.0.5/16","gateway":"10.88.0.1"}],"routes":[{"destination":"0.0.0.0/0","gateway":"10.88.0.1"}],"dns":{"servers":["10.88.0.1"],"searches":[],"options":[]}}"#,
            "{}", #"{"removed":[{"podID":"p","network":"n","interfaceName":"eth0"}]}"#, volume,
            #"{"capacityBytes":2147483648,"resizedByMachine":true}"#, "{\"volumes\":[\(volume)]}",
            #"{"path":"/disk","format":"qcow2","readOnly":false,"mode":"filesystem","fsType":"ext4","limits":{"readBytesPerSecond":1}}"#,
            #"{"removed":[{"volumeID":"v","podID":"p"}]}"#, snapshot, "{\"snapshots\":[\(snapshot)]}",
            #"{"capacityBytes":5,"availableBytes":4}"#,
        ]
        let error = #"{"error":{"code":"NOT_FOUND","reason":"volumeNotFound","message":"there is none"}}"#
        return results.enumerated().map { [UInt8($0)] + "{\"result\":\($1)}".utf8 } + [[0] + error.utf8]
    } run: { bytes in
        var input = Input(bytes)
        let ask = input.choice(of: questions)
        let plugin = Canned(answer: Data(input.rest))
        let outcome = try waiting { () -> Result<Void, any Error> in
            do { return .success(try await ask(plugin)) } catch { return .failure(error) }
        }
        switch outcome {
        case .success: return
        case .failure(let error as CarpelError): _ = error.description
        case .failure(let error): throw error as? Finding ?? Finding("an error that nobody foresaw: \(error)")
        }
    }

    private static let pod = PodIdentity(id: "p")

    private static let questions: [@Sendable (Canned) async throws -> Void] = [
        { plugin in
            let attachment = try await NetworkCalls(plugin: plugin).add(NetworkAddRequest(pod: pod))
            try Finding.require((68...65535).contains(attachment.mtu), "an MTU of \(attachment.mtu)")
        },
        { try await NetworkCalls(plugin: $0).status() },
        { _ = try await NetworkCalls(plugin: $0).collectGarbage(NetworkCollectRequest(valid: [])) },
        { _ = try await StorageCalls(plugin: $0).createVolume(CreateVolumeRequest(name: "n")) },
        { plugin in
            let request = ExpandVolumeRequest(volumeID: "v", capacityBytes: 1)
            let expanded = try await StorageCalls(plugin: plugin).expandVolume(request)
            try Finding.require(expanded.capacityBytes >= 1, "a volume of \(expanded.capacityBytes) bytes")
        },
        { _ = try await StorageCalls(plugin: $0).listVolumes() },
        { plugin in
            let request = PublishVolumeRequest(volumeID: "v", podID: "p", accessMode: .singleWriter)
            _ = try await StorageCalls(plugin: plugin).publishVolume(request)
        },
        { _ = try await StorageCalls(plugin: $0).collectPublications(CollectPublicationsRequest(valid: [])) },
        {
            _ = try await StorageCalls(plugin: $0).createSnapshot(CreateSnapshotRequest(name: "n", sourceVolumeID: "v"))
        },
        { _ = try await StorageCalls(plugin: $0).listSnapshots() },
        { _ = try await StorageCalls(plugin: $0).getCapacity() },
    ]
}

/// A plugin that always says the same.
struct Canned: PluginCalling {
    let answer: Data
    let name = "p"
    let limits = PluginLimits()

    func call(_ verb: String, _ request: CallBody, timeout: Duration, use: AttachmentUse) async throws -> Data {
        answer
    }
    func settle(_ use: AttachmentUse, succeeded: Bool) async {}
}
