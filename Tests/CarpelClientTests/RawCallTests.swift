import CarpelCore
import Foundation
import Testing

@testable import CarpelClient

@Suite(.timeLimit(.minutes(1)))
struct RawCallTests {
    @Test func aRawCallSendsOneLineAndReturnsTheResultsText() async throws {
        let server = try await LineServer.start { request, connection in
            let isWhole = request.line.contains(#""params":{ "text": "a\nb" }"#) && request.method == "Un\"known"
            connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{"b":"/x","a":\#(isWhole)}}"#)
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let result = try await client.callRaw(method: "Un\"known", params: "{\n\"text\": \"a\\nb\"\r\n}")
        #expect(result == #"{"a":true,"b":"/x"}"#)
    }

    @Test(arguments: ["", "{", "12", "\"text\"", "{\"a\":}"])
    func parametersThatAreNoObjectOrArrayAreRefused(params: String) async throws {
        let server = try await LineServer.start { _, _ in }
        let client = try await CarpelClient.connect(socketPath: server.path)
        let error = await #expect(throws: CarpelError.self) {
            try await client.callRaw(method: "Version", params: params)
        }
        #expect(error?.reason == "invalidJSON")
    }
}
