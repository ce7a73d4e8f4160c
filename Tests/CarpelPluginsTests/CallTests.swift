import CarpelCore
import Foundation
import TestSupport
import Testing

@testable import CarpelPlugins

/// Calls of a real plugin in a real host.
@Suite struct CallTests {
    @Test func thePluginAnswersWhatItWasAsked() async throws {
        try await TestNode().withPlugin { plugin in
            let answer = try await plugin.call("ECHO", #"{"text":"a\nb ü","list":[1,2,{"x":null}]}"#)
            #expect(answer == (try JSONValue(text: #"{"text":"a\nb ü","list":[1,2,{"x":null}]}"#)))
        }
    }

    @Test func thePluginKnowsItsPlace() async throws {
        let node = try TestNode { $0.configurations = ["test": .object(["greeting": .string("hi")])] }
        try await node.withPlugin { plugin in
            let place = try await plugin.members("ENVIRONMENT")
            #expect(place["name"] == .string("test"))
            #expect(place["stateFolder"] == .string("\(node.folder.path)/state/test"))
            #expect(place["workingFolder"] == place["stateFolder"])
            #expect(place["configuration"] == .object(["greeting": .string("hi")]))
            #expect(place["group"] == .integer(4242))
        }
    }

    @Test func aHundredCallsAtOnceAllGetTheirOwnAnswers() async throws {
        try await TestNode().withPlugin { plugin in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let answer = try await plugin.call("ECHO", #"{"n":\#(number)}"#)
                        #expect(answer == .object(["n": .integer(Int64(number))]))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func moreCallsThanThreadsWaitAndTheFirstCanStillBeCancelled() async throws {
        let node = try TestNode { $0.limits.grace = .seconds(10) }
        try await node.withPlugin { plugin in
            let waiting = (0..<80).map { _ in Task { try await plugin.call("WAIT") } }
            try await eventually("the calls wait") { FileManager.default.fileExists(atPath: node.stateFile("waiting")) }
            let quick = Task { try await plugin.call("PING") }
            for task in waiting { task.cancel() }
            for task in waiting { _ = await task.result }
            #expect(try await quick.value == .object([:]))
            #expect(try await plugin.status.restarts == 0)
        }
    }

    @Test func bytesThatAreNoJSONReachThePlugin() async throws {
        try await TestNode().withPlugin { plugin in
            let bytes = Data([0xFF, 0x00, 0x0A, 0x7B])
            let answer = try await plugin.calls.call("BYTES", .bytes(bytes), timeout: .seconds(20), use: .none)
            #expect(
                try JSONDecoder().decode([String: [String: Int]].self, from: answer) == [
                    "result": ["length": 4, "first": 255]
                ])
        }
    }

    @Test func aPluginsErrorIsTheCallersWithThePluginsName() async throws {
        try await TestNode().withPlugin { plugin in
            let network = try await plugin.plugins.network("test")
            let error = await #expect(throws: CarpelError.self) {
                try await network.check(
                    .init(
                        podID: "a", network: "b", interfaceName: "c",
                        attachment: .init(device: "", macAddress: "", mtu: 0, addresses: [])))
            }
            #expect(error == CarpelError(.unimplemented, "verbUnknown", "plugin test: no CHECK"))
        }
    }

    @Test func anAnswerThatIsNoJSONIsAnErrorAndHarmsNoOtherCall() async throws {
        try await TestNode().withPlugin { plugin in
            for verb in ["GARBAGE", "EMPTY"] {
                let error = try await plugin.refusal(verb)
                #expect(error.code == .internal && error.reason == "answerMalformed", "\(error)")
            }
            try await plugin.call("PING")
            #expect(try await plugin.status.restarts == 0)
        }
    }

    @Test func aPluginThatWritesIntoTheSocketIsReplaced() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let before = try await plugin.status.processID
            let error = try await plugin.refusal("SCRIBBLE")
            #expect(error.code == .unavailable && error.reason == "pluginDied", "\(error)")
            try await plugin.call("PING")
            let status = try await plugin.status
            #expect(status.processID != before && status.state == .ready)
        }
    }

    @Test func anAnswerMayHaveSixteenMebibytesAndNoMore() async throws {
        try await TestNode().withPlugin { plugin in
            let whole = 16 << 20
            let frame = #"{"result": ""}"#.utf8.count
            let answer = try await plugin.call("LARGE", #"{"letters":\#(whole - frame)}"#)
            guard case .string(let text) = answer else { throw SupportError("no string") }
            #expect(text.utf8.count == whole - frame)
            let error = try await plugin.refusal("LARGE", #"{"letters":\#(whole - frame + 1)}"#)
            #expect(error.code == .resourceExhausted && error.reason == "answerTooLong", "\(error)")
            try await plugin.call("PING")
        }
    }

    @Test func aCancelledCallReturnsAtOnceAndThePluginIsTold() async throws {
        let node = try TestNode { $0.limits.grace = .seconds(10) }
        try await node.withPlugin { plugin in
            let call = Task { try await plugin.call("WAIT") }
            try await eventually("the plugin waits") {
                FileManager.default.fileExists(atPath: node.stateFile("waiting"))
            }
            call.cancel()
            let error = await #expect(throws: CarpelError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            try await eventually("the plugin is told") {
                FileManager.default.fileExists(atPath: node.stateFile("told"))
            }
            #expect(try await plugin.status.restarts == 0)
        }
    }

    /// The cancellation once overtook the call, which then ran until its deadline.
    @Test func aCallThatIsCancelledWhileItIsSentIsCancelledInThePluginToo() async throws {
        let node = try TestNode { $0.limits.grace = .seconds(600) }
        try await node.withPlugin { plugin in
            for _ in 0..<100 {
                let call = Task { try await plugin.call("WAIT", timeout: .seconds(600)) }
                await Task.yield()
                call.cancel()
                _ = await call.result
            }
            try await eventually("no call waits any more") {
                try await plugin.members("WAITING") == ["calls": .integer(0)]
            }
        }
    }

    @Test func afterTheDeadlineTheCallerGoesAndAPluginThatObeysLives() async throws {
        let node = try TestNode { $0.limits.grace = .seconds(10) }
        try await node.withPlugin { plugin in
            let error = try await plugin.refusal("WAIT", timeout: .milliseconds(100))
            #expect(error.code == .deadlineExceeded, "\(error)")
            try await eventually("the plugin is told") {
                FileManager.default.fileExists(atPath: node.stateFile("told"))
            }
            #expect(try await plugin.status.restarts == 0)
        }
    }

    @Test func aPluginThatHangsIsKilledAfterTheGraceAndStartedAgain() async throws {
        let node = try TestNode { $0.limits.grace = .seconds(3) }
        try await node.withPlugin { plugin in
            let before = try await plugin.status.processID
            let begin = ContinuousClock.now
            let error = try await plugin.refusal("HANG", timeout: .milliseconds(100))
            #expect(error.code == .deadlineExceeded && error.reason == "deadlineExceeded", "\(error)")
            #expect(ContinuousClock.now - begin < .seconds(3))
            try await eventually("the host is another") {
                let status = try await plugin.status
                return status.state == .ready && status.processID != before
            }
            try await plugin.call("PING")
            #expect(node.log.text.contains("it did not end HANG within"))
        }
    }
}
