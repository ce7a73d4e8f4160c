import CarpelAPI
import Testing

@testable import CarpelClient

@Suite(.timeLimit(.minutes(1)))
struct NotificationTests {
    private static let answer: @Sendable (LineServer.Request, LineServer.Connection) -> Void = { request, connection in
        for done in 1...3 {
            connection.send(
                #"{"jsonrpc":"2.0","method":"PullProgress","params":{"image":"web","layers":[{"bytesDone":"\#(done)"}]}}"#
            )
        }
        connection.send(#"{"jsonrpc":"2.0","method":"SomethingElse","params":{}}"#)
        connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{"imageRef":"sha256:1"}}"#)
    }

    @Test func progressArrivesInOrderAndTheAnswerAfterIt() async throws {
        let server = try await LineServer.start(answering: Self.answer)
        let client = try await CarpelClient.connect(socketPath: server.path)
        let progress = client.pullProgress()
        #expect(try await client.call(Methods.pullImage, PullImageRequest()).imageRef == "sha256:1")
        await client.close()
        var done: [UInt64] = []
        for await state in progress { done += state.layers.map(\.bytesDone) }
        #expect(done == [1, 2, 3])
    }

    @Test func everyReaderGetsEveryNotification() async throws {
        let server = try await LineServer.start(answering: Self.answer)
        let client = try await CarpelClient.connect(socketPath: server.path)
        let readers = [client.pullProgress(), client.pullProgress()]
        _ = try await client.call(Methods.pullImage, PullImageRequest())
        await client.close()
        for reader in readers {
            #expect(await reader.reduce(into: 0) { count, _ in count += 1 } == 3)
        }
    }

    @Test func aReaderOfAClosedConnectionEnds() async throws {
        let server = try await LineServer.start(answering: Self.answer)
        let client = try await CarpelClient.connect(socketPath: server.path)
        await client.close()
        #expect(await client.pullProgress().reduce(into: 0) { count, _ in count += 1 } == 0)
    }
}
