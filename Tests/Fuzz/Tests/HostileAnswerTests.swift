import CarpelCore
import CarpelPluginSDK
import Foundation
import Testing

@testable import CarpelPlugins

/// What no interface and no disk has ended the daemon where it was put into a smaller type.
@Suite struct HostileAnswerTests {
    @Test(arguments: [-1, 0, 67, 65536, Int.max, .min]) func anMTUThatNoDeviceHasIsRefused(mtu: Int) async throws {
        let answer =
            #"{"result":{"device":"tap0","macAddress":"02:00:00:00:00:01","mtu":\#(mtu),"addresses":[],"routes":[]}}"#
        let error = await #expect(throws: CarpelError.self) {
            try await NetworkCalls(plugin: Canned(answer: Data(answer.utf8))).add(
                NetworkAddRequest(pod: PodIdentity(id: "p")))
        }
        #expect(error?.reason == "answerMalformed" && error?.message.contains("mtu: \(mtu)") == true)
    }

    @Test(arguments: [Int64.min, -1, 0, 1023]) func aVolumeIsNoSmallerThanAskedFor(capacity: Int64) async throws {
        let answer = #"{"result":{"capacityBytes":\#(capacity),"resizedByMachine":true}}"#
        let error = await #expect(throws: CarpelError.self) {
            try await StorageCalls(plugin: Canned(answer: Data(answer.utf8))).expandVolume(
                ExpandVolumeRequest(volumeID: "v", capacityBytes: 1024))
        }
        #expect(error?.reason == "answerMalformed")
    }
}
