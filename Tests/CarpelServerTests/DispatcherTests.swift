import CarpelAPI
import CarpelCore
import Foundation
import Logging
import TestSupport
import Testing

@testable import CarpelServer

@Suite struct DispatcherTests {
    private let context = CallContext(role: .admin, notify: { _, _ in })

    private func dispatcher(_ logger: Logger = Logger(label: "test")) -> Dispatcher {
        var methods = MethodTable()
        methods.add(Methods.version) { request, _ in VersionResponse { $0.version = request.version } }
        methods.add(Methods.stopContainer) { _, _ in
            throw CarpelError(.notFound, "containerNotFound", "no such container")
        }
        return Dispatcher(methods, logger: logger)
    }

    private func answer(_ line: String, as role: Role? = .admin) async throws -> Any? {
        let context = CallContext(role: role, notify: { _, _ in })
        guard let data = await dispatcher().answer(Array(line.utf8), context) else { return nil }
        return try JSONSerialization.jsonObject(with: data)
    }

    private func failure(_ line: String, as role: Role? = .admin) async throws -> (code: Int, reason: String, id: Any?)
    {
        let object = try #require(try await answer(line, as: role) as? [String: Any])
        let error = try #require(object["error"] as? [String: Any])
        let data = try #require(error["data"] as? [String: Any])
        return (try #require(error["code"] as? Int), try #require(data["reason"] as? String), object["id"])
    }

    private func warnings(_ log: CollectedLog) -> [String] {
        log.entries.map { "\($0.metadata["method"] ?? ""): \($0.metadata["field"] ?? "")" }
    }

    @Test func aRequestIsAnsweredUnderItsID() async throws {
        let object =
            try await answer(#"{"jsonrpc":"2.0","id":"x","method":"Version","params":{"version":"v"}}"#)
            as? [String: Any]
        #expect(object?["id"] as? String == "x")
        #expect((object?["result"] as? [String: Any])?["version"] as? String == "v")
    }

    @Test func aNotificationIsNotAnswered() async throws {
        #expect(try await answer(#"{"jsonrpc":"2.0","method":"Version"}"#) == nil)
    }

    @Test func aBatchIsAnsweredInOrder() async throws {
        let line =
            #"[{"jsonrpc":"2.0","id":1,"method":"Version"},{"jsonrpc":"2.0","method":"Version"},{"jsonrpc":"2.0","id":2,"method":"Nope"}, 5]"#
        let answers = try #require(try await answer(line) as? [[String: Any]])
        #expect(answers.map { $0["id"] as? Int } == [1, 2, nil])
        #expect(answers[0]["result"] != nil && answers[1]["error"] != nil && answers[2]["error"] != nil)
    }

    @Test(arguments: [
        ("", -32700, "parseError"), ("{", -32700, "parseError"), ("{\"a\":\u{1}}", -32700, "parseError"),
        ("5", -32600, "invalidRequest"), ("[]", -32600, "invalidRequest"), ("{}", -32600, "invalidRequest"),
        (#"{"id":1,"method":"Version"}"#, -32600, "invalidRequest"),
        (#"{"jsonrpc":"1.0","id":1,"method":"Version"}"#, -32600, "invalidRequest"),
        (#"{"jsonrpc":"2.0","id":{},"method":"Version"}"#, -32600, "invalidRequest"),
        (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600, "invalidRequest"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Nope"}"#, -32601, "methodNotFound"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":5}}"#, -32602, "invalidParams"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":[1]}"#, -32602, "invalidParams"),
        (#"{"jsonrpc":"2.0","id":1,"method":"StopContainer"}"#, -32000, "containerNotFound"),
    ])
    func badInputGetsItsNumberAndReason(_ line: String, _ code: Int, _ reason: String) async throws {
        let failure = try await failure(line)
        #expect(failure.code == code)
        #expect(failure.reason == reason)
    }

    @Test(arguments: [#""method":7"#, #""method":null"#, #""params":{}"#])
    func aRequestWithoutMethodIsAnsweredUnderItsID(_ member: String) async throws {
        let failure = try await failure(#"{"jsonrpc":"2.0","id":1,\#(member)}"#)
        #expect(failure.reason == "invalidRequest" && failure.id as? Int == 1)
    }

    @Test(arguments: ["", #","params":null"#, #", "params" : {} "#])
    func parametersMayBeLeftOut(_ member: String) async throws {
        let object = try await answer(#"{"jsonrpc":"2.0","id":1,"method":"Version"\#(member)}"#) as? [String: Any]
        #expect((object?["result"] as? [String: Any])?["version"] as? String == "")
    }

    @Test func unknownFieldsAreToldOnceByTheirPath() async throws {
        let log = CollectedLog()
        let dispatcher = dispatcher(log.logger)
        for line in [
            #"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"v","colour":{"hue":1}}}"#,
            #"[{"jsonrpc":"2.0","id":1,"method":"Version","params":{"colour":1}}, {"jsonrpc":"2.0","method":"Version"}]"#,
            // Also where the request is refused.
            #"{"jsonrpc":"2.0","id":1,"method":"StopContainer","params":{"timeout":"soon","shape":1}}"#,
        ] { _ = await dispatcher.answer(Array(line.utf8), context) }
        #expect(warnings(log) == ["Version: colour", "StopContainer: shape"])
    }

    @Test func unknownFieldsOfLongParametersAreNotLookedFor() async throws {
        let log = CollectedLog()
        let dispatcher = dispatcher(log.logger)
        for length in [60 << 10, 64 << 10] {
            let version = String(repeating: "x", count: length)
            let line =
                #"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"\#(version)","of\#(length)":1}}"#
            #expect(await dispatcher.answer(Array(line.utf8), context) != nil)
        }
        #expect(warnings(log) == ["Version: of61440"])
    }

    @Test func batchesAreBounded() async throws {
        let line = "[" + Array(repeating: "1", count: JSONRPC.maximumBatchLength + 1).joined(separator: ",") + "]"
        #expect(try await failure(line).reason == "batchTooLong")
    }

    @Test func nestingIsBounded() async throws {
        let line = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(try await failure(line).reason == "nestedTooDeep")
        #expect(
            try await failure(#"{"jsonrpc":"2.0","id":1,"method":"Nope","params":{"a":"[[[[[\"[["}}"#).reason
                == "methodNotFound")
    }

    /// What readers of JSON disagree about is refused, before anybody could read it in his own way.
    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","method":"StopContainer"}"#, "stands twice"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"a","vers\u0069on":"b"}}"#, "stands twice"),
        (#"[{"jsonrpc":"2.0","id":1,"id":2,"method":"Version"}]"#, "stands twice"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"\ud83d"}}"#, "surrogate"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"\ude00\ud83d"}}"#, "surrogate"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"\ud83dx"}}"#, "surrogate"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version",}"#, "not JSON from byte"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version"} {}"#, "not JSON from byte"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":01}}"#, "not JSON from byte"),
        (#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":NaN}}"#, "not JSON from byte"),
        (#"{'jsonrpc':"2.0"}"#, "not JSON from byte"), ("\u{FEFF}{}", "not JSON from byte"),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Ver\0sion\"}", "not JSON from byte"),
    ])
    func whatTwoReadersCouldReadDifferentlyIsNotRead(_ line: String, _ words: String) async throws {
        let object = try #require(try await answer(line) as? [String: Any])
        let error = try #require(object["error"] as? [String: Any])
        #expect(error["code"] as? Int == -32700 && object["id"] is NSNull)
        #expect((error["message"] as? String)?.contains(words) == true)
    }

    @Test func bytesThatAreNotUTF8AreNotRead() async throws {
        var line = Array(#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"x"}}"#.utf8)
        let place = try #require(line.lastIndex(of: UInt8(ascii: "x")))
        for bytes in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]] {
            line.replaceSubrange(place..<line.index(line.endIndex, offsetBy: -3), with: bytes)
            let answer = await dispatcher().answer(line, context)
            let object = try JSONSerialization.jsonObject(with: try #require(answer)) as? [String: Any]
            let error = object?["error"] as? [String: Any]
            #expect(error?["message"] as? String == "the message is not UTF-8")
        }
    }

    /// As JSON writes it; what means something to the node refuses NUL by its field.
    @Test func escapedCharactersArriveAsWhatTheyStandFor() async throws {
        let object =
            try await answer(#"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"a\u0000\ud83d\ude00"}}"#)
            as? [String: Any]
        #expect((object?["result"] as? [String: Any])?["version"] as? String == "a\0😀")
    }

    @Test(arguments: [
        "1.5", "1e400", "1e30", "9223372036854775808", "-9223372036854775809",
        "123456789012345678901234567890123456789012345678901234567890", #""1e2""#, #""+5""#, #"" 5""#, #""5 ""#, #""""#,
        #""٣""#, "true", "[]", "{}",
    ])
    func numbersThatAreNoneOrDoNotFitAreInvalidParams(_ number: String) async throws {
        let failure = try await failure(
            #"{"jsonrpc":"2.0","id":1,"method":"StopContainer","params":{"timeout":\#(number)}}"#)
        #expect(failure.code == -32602 && failure.reason == "invalidParams" && failure.id as? Int == 1)
    }

    @Test(arguments: ["5", "5.0", "50e-1", #""5""#, #""-9223372036854775808""#, "9223372036854775807", "null", "-0"])
    func numbersThatAreWholeAreRead(_ number: String) async throws {
        let failure = try await failure(
            #"{"jsonrpc":"2.0","id":1,"method":"StopContainer","params":{"timeout":\#(number)}}"#)
        #expect(failure.reason == "containerNotFound")
    }

    @Test(arguments: ["1.5", "1e400", "9223372036854775808", "true", "[]"])
    func idsThatAreNeitherStringNorWholeNumberAreInvalidRequests(_ id: String) async throws {
        let failure = try await failure(#"{"jsonrpc":"2.0","id":\#(id),"method":"Version"}"#)
        #expect(failure.code == -32600 && failure.id is NSNull)
    }

    @Test func aNumberOfABatchIsTheSameAsAlone() async throws {
        let request = #"{"jsonrpc":"2.0","id":9223372036854775807,"method":"Version"}"#
        let answers = try #require(try await answer("[\(request)]") as? [[String: Any]])
        #expect((answers.first?["id"] as? NSNumber)?.int64Value == .max)
    }

    @Test func viewersMayLookButNotChange() async throws {
        #expect(try await answer(#"{"jsonrpc":"2.0","id":1,"method":"Version"}"#, as: .view) is [String: Any])
        #expect(
            try await failure(#"{"jsonrpc":"2.0","id":1,"method":"StopContainer"}"#, as: .view).reason == "roleMissing")
        #expect(try await failure(#"{"jsonrpc":"2.0","id":1,"method":"Version"}"#, as: nil).reason == "roleMissing")
    }

    @Test func wrongTypesNameTheirField() async throws {
        let object =
            try await answer(#"{"jsonrpc":"2.0","id":1,"method":"StopContainer","params":{"timeout":"soon"}}"#)
            as? [String: Any]
        let data = (object?["error"] as? [String: Any])?["data"] as? [String: Any]
        #expect(data?["field"] as? String == "timeout")
    }
}
