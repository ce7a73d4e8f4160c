import CarpelAPI
import CarpelCore
import Foundation
import Logging
import Testing

@testable import CarpelServer

@Suite struct DispatcherTests {
    private let context = CallContext(notify: { _, _ in })

    private func answer(_ line: String, as role: Role? = .admin) async throws -> Any? {
        var methods = MethodTable()
        methods.add(Methods.version) { request, _ in VersionResponse { $0.version = request.version } }
        methods.add(Methods.stopContainer) { _, _ in
            throw CarpelError(.notFound, "containerNotFound", "no such container")
        }
        let dispatcher = Dispatcher(methods, logger: Logger(label: "test"))
        guard let data = await dispatcher.answer(Data(line.utf8), as: role, context) else { return nil }
        return try JSONSerialization.jsonObject(with: data)
    }

    private func failure(_ line: String, as role: Role? = .admin) async throws -> (code: Int, reason: String, id: Any?)
    {
        let object = try #require(try await answer(line, as: role) as? [String: Any])
        let error = try #require(object["error"] as? [String: Any])
        let data = try #require(error["data"] as? [String: Any])
        return (try #require(error["code"] as? Int), try #require(data["reason"] as? String), object["id"])
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
