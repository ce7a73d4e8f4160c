import CarpelAPI
import CarpelCore
import Foundation
import Synchronization
import Testing

@testable import CarpelClient

@Suite(.timeLimit(.minutes(1)))
struct CarpelClientTests {
    @Test func aCallReturnsTheTypedAnswer() async throws {
        let server = try await LineServer.start { request, connection in
            connection.send(
                #"{"jsonrpc":"2.0","id":\#(request.id),"result":{"runtimeName":"\#(request.method)","new":1}}"#)
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let version = try await client.call(Methods.version, VersionRequest())
        #expect(version.runtimeName == "Version")
    }

    @Test func answersInAnyOrderReachTheCallsThatWait() async throws {
        let waiting = Mutex<[LineServer.Request]>([])
        let server = try await LineServer.start { request, connection in
            let all = waiting.withLock { all in
                all.append(request)
                return all
            }
            guard all.count == 50 else { return }
            for request in all.reversed() {
                let params = request.line.firstMatch(of: /"version":"(\d+)"/)?.1 ?? ""
                connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{"version":"\#(params)"}}"#)
            }
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let request = VersionRequest { $0.version = String(number) }
                    return try await client.call(Methods.version, request).version == String(number)
                }
            }
            for try await isOwnAnswer in group { #expect(isOwnAnswer) }
        }
    }

    @Test func anErrorKeepsItsCodeReasonFieldAndMessage() async throws {
        let server = try await LineServer.start { request, connection in
            connection.send(
                #"""
                {"jsonrpc":"2.0","id":\#(request.id),"error":{"code":-32000,"message":"no such pod","data":
                """#.replacing("\n", with: "")
                    + #"{"code":"NOT_FOUND","reason":"podNotFound","field":"podSandboxId"}}}"#)
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        await #expect(throws: CarpelError(.notFound, "podNotFound", "no such pod", field: "podSandboxId")) {
            try await client.call(Methods.podSandboxStatus, PodSandboxStatusRequest())
        }
    }

    @Test func aRefusalWithoutAnIdEndsTheCallsThatWait() async throws {
        let server = try await LineServer.start { _, connection in
            connection.send(
                #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"too deep","data":"#
                    + #"{"code":"INVALID_ARGUMENT","reason":"nestedTooDeep"}}}"#)
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        await #expect(throws: CarpelError(.invalidArgument, "nestedTooDeep", "too deep")) {
            try await client.callRaw(method: "Version", params: "{}")
        }
    }

    @Test func aMissingSocketSaysThatTheDaemonDoesNotRun() async throws {
        let error = await #expect(throws: CarpelError.self) {
            try await CarpelClient.connect(socketPath: "/nonexistent/carpel.sock")
        }
        #expect(error?.code == .unavailable)
        #expect(error?.reason == "daemonNotRunning")
        #expect(error?.message.contains("carpeld") == true)
    }

    @Test func aSocketThatADeadDaemonLeftSaysThatTheDaemonDoesNotRun() async throws {
        let path = NSTemporaryDirectory() + "carpel-\(UUID().uuidString.prefix(8)).sock"
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        close(descriptor)
        defer { unlink(path) }
        try #require(isBound)
        let error = await #expect(throws: CarpelError.self) { try await CarpelClient.connect(socketPath: path) }
        #expect(error?.reason == "daemonNotRunning")
    }

    @Test func aPathTooLongForASocketIsAnInvalidArgument() async throws {
        let error = await #expect(throws: CarpelError.self) {
            try await CarpelClient.connect(socketPath: "/" + String(repeating: "a", count: 200))
        }
        #expect(error?.reason == "socketPathTooLong")
    }

    @Test func aConnectionThatEndsFailsTheCallsThatWaitAndThoseThatCome() async throws {
        let server = try await LineServer.start { _, connection in connection.close() }
        let client = try await CarpelClient.connect(socketPath: server.path)
        for _ in 0..<2 {
            let error = await #expect(throws: CarpelError.self) {
                try await client.call(Methods.version, VersionRequest())
            }
            #expect(error?.code == .unavailable)
            #expect(error?.reason == "connectionClosed")
        }
    }

    @Test func closingTheClientFailsItsCalls() async throws {
        let (requests, arrived) = AsyncStream.makeStream(of: Void.self)
        let server = try await LineServer.start { _, _ in arrived.yield() }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let call = Task { try await client.call(Methods.version, VersionRequest()) }
        for await _ in requests { break }
        await client.close()
        let error = await #expect(throws: CarpelError.self) { try await call.value }
        #expect(error?.reason == "connectionClosed")
    }

    @Test func aCancelledCallEndsAndItsLateAnswerIsIgnored() async throws {
        let (requests, arrived) = AsyncStream.makeStream(of: (LineServer.Request, LineServer.Connection).self)
        let server = try await LineServer.start { request, connection in
            if request.method == "Version" {
                arrived.yield((request, connection))
            } else {
                connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{"items":[]}}"#)
            }
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let call = Task { try await client.call(Methods.version, VersionRequest()) }
        for await (request, connection) in requests {
            call.cancel()
            await #expect(throws: CarpelError(.cancelled, "cancelled", "Version: cancelled by the caller")) {
                try await call.value
            }
            connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{}}"#)
            break
        }
        #expect(try await client.call(Methods.listPodSandbox, ListPodSandboxRequest()).items.isEmpty)
    }

    @Test func aTimeoutEndsACallThatIsNotAnswered() async throws {
        let server = try await LineServer.start { _, _ in }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let error = await #expect(throws: CarpelError.self) {
            try await client.call(Methods.version, VersionRequest(), timeout: .milliseconds(20))
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.reason == "callTimeout")
    }

    @Test func anAnswerOfAnotherShapeIsReportedAsUnreadable() async throws {
        let server = try await LineServer.start { request, connection in
            connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{"version":[1]}}"#)
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let error = await #expect(throws: CarpelError.self) {
            try await client.call(Methods.version, VersionRequest())
        }
        #expect(error?.reason == "unreadableAnswer")
    }

    @Test func somethingThatIsNoDaemonIsReportedAsSuch() async throws {
        let server = try await LineServer.start { _, connection in connection.send("HTTP/1.1 400 Bad Request") }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let error = await #expect(throws: CarpelError.self) {
            try await client.call(Methods.version, VersionRequest())
        }
        #expect(error?.reason == "unreadableAnswer")
    }

    @Test func anAnswerOfSixteenMebibytesArrives() async throws {
        let server = try await LineServer.start { request, connection in
            let head = #"{"jsonrpc":"2.0","id":\#(request.id),"result":{"version":""#
            let length = JSONRPC.maximumMessageLength - head.count - 3
            connection.send(head + String(repeating: "a", count: length) + #""}}"#)
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let version = try await client.call(Methods.version, VersionRequest())
        #expect(version.version.utf8.count > 16_000_000)
    }

    @Test func aRequestBeyondTheSocketsLimitIsRefusedHere() async throws {
        let server = try await LineServer.start { _, _ in }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let request = VersionRequest { $0.version = String(repeating: "a", count: JSONRPC.maximumMessageLength) }
        let error = await #expect(throws: CarpelError.self) { try await client.call(Methods.version, request) }
        #expect(error?.reason == "messageTooLong")
    }
}
