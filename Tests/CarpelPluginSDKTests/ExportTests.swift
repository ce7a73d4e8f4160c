import CCarpelPlugin
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import CarpelPluginSDK

/// A plugin through the table that its host calls.
@Suite(.serialized) struct ExportTests {
    @Test func everyVerbOfTheNetworkReachesItsMethod() throws {
        let plugin = try #require(try Exported(network: RecordingNetwork.self))
        defer { plugin.destroy() }
        let pod = #"{"id":"p","name":"n","namespace":"s","uid":"u"}"#
        let add = #"{"pod":\#(pod),"network":"net","interfaceName":"eth0","addresses":["10.0.0.1"],"portMappings":[]}"#
        let attachment = #"{"device":"tap0","macAddress":"m","mtu":1,"addresses":[],"routes":[]}"#
        let delete = #"{"podID":"p","network":"net","interfaceName":"eth0"}"#
        #expect(try plugin.call("ADD", add) == .init(text: #"{"result":\#(attachment)}"#))
        #expect(try plugin.call("DEL", delete) == .init(text: #"{"result":{}}"#))
        let check = #"{"podID":"p","network":"net","interfaceName":"eth0","attachment":\#(attachment)}"#
        #expect(try plugin.call("CHECK", check).reason == "gone")
        #expect(
            try plugin.call("GC", #"{"valid":[\#(delete)]}"#) == .init(text: #"{"result":{"removed":[\#(delete)]}}"#))
        #expect(try plugin.call("STATUS", "{}") == .init(text: #"{"result":{}}"#))
    }

    @Test func everyVerbOfStorageReachesItsMethod() throws {
        let plugin = try #require(try Exported(storage: RecordingStorage.self))
        defer { plugin.destroy() }
        let requests: [StorageVerb: String] = [
            .createVolume: #"{"name":"v","capacityBytes":1,"mode":"filesystem","parameters":{}}"#,
            .deleteVolume: #"{"volumeID":"v"}"#, .expandVolume: #"{"volumeID":"v","capacityBytes":2}"#,
            .restoreVolume: #"{"volumeID":"v","snapshotID":"s"}"#, .listVolumes: "{}",
            .publishVolume: #"{"volumeID":"v","podID":"p","accessMode":"singleWriter"}"#,
            .unpublishVolume: #"{"volumeID":"v","podID":"p"}"#, .collectPublications: #"{"valid":[]}"#,
            .createSnapshot: #"{"name":"s","sourceVolumeID":"v"}"#, .deleteSnapshot: #"{"snapshotID":"s"}"#,
            .listSnapshots: "{}", .getCapacity: "{}", .probe: "{}",
        ]
        for verb in StorageVerb.allCases {
            let answer = try plugin.call(verb.rawValue, try #require(requests[verb]))
            #expect(answer.reason == verb.rawValue, "\(verb) has answered \(answer)")
        }
    }

    @Test(arguments: [
        ("FLY", "{}", "UNIMPLEMENTED", "verbUnknown", "no verb FLY"),
        ("ADD", "{", "INVALID_ARGUMENT", "requestMalformed", "request"),
        ("ADD", "", "INVALID_ARGUMENT", "requestMalformed", "request"),
        ("ADD", "[]", "INVALID_ARGUMENT", "requestMalformed", "request"),
        (
            "DEL", #"{"podID":"p","network":"n"}"#, "INVALID_ARGUMENT", "requestMalformed",
            "request.interfaceName is missing"
        ),
        (
            "DEL", #"{"podID":null,"network":"n","interfaceName":"e"}"#, "INVALID_ARGUMENT", "requestMalformed",
            "request.podID"
        ),
        ("GC", #"{"valid":[{"podID":5}]}"#, "INVALID_ARGUMENT", "requestMalformed", "request.valid[0].podID"),
    ])
    func aRequestThatDoesNotFitNamesItsMember(
        _ verb: String, _ request: String, _ code: String, _ reason: String, _ words: String
    ) throws {
        let plugin = try #require(try Exported(network: RecordingNetwork.self))
        defer { plugin.destroy() }
        let error = try #require(try plugin.call(verb, request).error)
        #expect(error.code.rawValue == code && error.reason == reason && error.message.contains(words), "\(error)")
    }

    @Test func anErrorThatIsNoPluginErrorIsInternal() throws {
        let plugin = try #require(try Exported(network: RecordingNetwork.self))
        defer { plugin.destroy() }
        let error = try #require(try plugin.call("DEL", #"{"podID":"odd","network":"n","interfaceName":"e"}"#).error)
        #expect(error.code == .internal && error.reason == "unexpected" && error.message.contains("Odd"), "\(error)")
    }

    @Test func aConfigurationThatDoesNotFitNamesItsMemberAndThereIsNoPlugin() throws {
        var refusal: PluginError?
        let plugin = try Exported(network: RecordingNetwork.self, configuration: #"{"ranges":[{"first":7}]}"#) {
            refusal = $0
        }
        #expect(plugin == nil)
        #expect(refusal?.code == .invalidArgument && refusal?.reason == "configurationInvalid")
        #expect(refusal?.message.contains("configuration.ranges[0].first") == true, "\(String(describing: refusal))")
    }

    @Test func aCancelledCallCancelsTheTask() throws {
        let plugin = try #require(try Exported(network: RecordingNetwork.self))
        defer { plugin.destroy() }
        let cancellation = Cancellation()
        defer { cancellation.close() }
        RecordingNetwork.whenWaiting.withLock { $0 = { cancellation.cancel() } }
        let request = #"{"podID":"wait","network":"n","interfaceName":"e"}"#
        let error = try #require(try plugin.call("DEL", request, cancelled: cancellation.descriptor).error)
        #expect(error.code == .cancelled && error.reason == "cancelled", "\(error)")
        // The same descriptor serves the next call.
        cancellation.reset()
        #expect(try plugin.call("STATUS", "{}", cancelled: cancellation.descriptor).error == nil)
    }

    @Test func aCancellationPastTheDeadlineIsTheDeadlines() throws {
        let plugin = try #require(try Exported(network: RecordingNetwork.self))
        defer { plugin.destroy() }
        let cancellation = Cancellation()
        defer { cancellation.close() }
        cancellation.cancel()
        let request = #"{"podID":"wait","network":"n","interfaceName":"e"}"#
        let answer = try plugin.call("DEL", request, deadline: 1, cancelled: cancellation.descriptor)
        let error = try #require(answer.error)
        #expect(error.code == .deadlineExceeded && error.reason == "deadlineExceeded", "\(error)")
    }

    /// With the pool of Swift's runtime, which has a thread per core, the last of them would wait for ever.
    @Test func callsThatBlockTheirThreadsDoNotBlockOthers() throws {
        let plugin = try #require(try Exported(network: RecordingNetwork.self))
        defer { plugin.destroy() }
        let count = ProcessInfo.processInfo.activeProcessorCount + 2
        RecordingNetwork.barrier.withLock { $0 = count }
        let threads = (0..<count).map { _ in
            CallingThread { try plugin.call("DEL", #"{"podID":"barrier","network":"n","interfaceName":"e"}"#) }
        }
        for thread in threads { #expect(try thread.join().error == nil) }
    }

    @Test func anActorsCallsFromManyThreadsAllEnd() throws {
        let plugin = try #require(try Exported(network: CountingNetwork.self))
        defer { plugin.destroy() }
        let threads = (0..<16).map { _ in
            CallingThread {
                for _ in 0..<500 { _ = try plugin.call("STATUS", "{}") }
                return try plugin.call("STATUS", "{}")
            }
        }
        for thread in threads { #expect(try thread.join().error == nil) }
        #expect(try plugin.call("GC", #"{"valid":[]}"#).error?.message == "8016")
    }

    @Test func theLogIsALineOfStandardError() throws {
        var pipes: [Int32] = [0, 0]
        pipe(&pipes)
        let saved = dup(STDERR_FILENO)
        dup2(pipes[1], STDERR_FILENO)
        log("hello")
        dup2(saved, STDERR_FILENO)
        for descriptor in [saved, pipes[1]] { close(descriptor) }
        let text = FileHandle(fileDescriptor: pipes[0], closeOnDealloc: true).readDataToEndOfFile()
        #expect(String(decoding: text, as: UTF8.self) == "hello\n")
    }
}
