import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelClient

@Suite(.timeLimit(.minutes(1))) struct SubscriptionTests {
    private static func answer(_ request: LineServer.Request) -> String {
        #"{"jsonrpc":"2.0","id":\#(request.id),"result":{"subscription":"s1"}}"#
    }

    private static func notification(_ members: String) -> String {
        #"{"jsonrpc":"2.0","method":"WatchNode","params":{"subscription":"s1",\#(members)}}"#
    }

    private func watch(
        _ lines: @escaping @Sendable (LineServer.Request, LineServer.Connection) -> Void
    ) async throws -> (server: LineServer, watch: Subscription<WatchNodeResponse>) {
        let server = try await LineServer.start(answering: lines)
        let client = try await CarpelClient.connect(socketPath: server.path)
        return (server, try await client.subscribe(Methods.watchNode, WatchNodeRequest()))
    }

    @Test func itemsComeInOrderUntilTheEnd() async throws {
        let (server, watch) = try await watch { request, connection in
            connection.send(Self.answer(request))
            connection.send(Self.notification(#""item":{"revision":"1"}"#))
            connection.send(Self.notification(#""item":{"revision":"5"},"missed":"3""#))
            connection.send(Self.notification(#""end":true"#))
        }
        var items: [[UInt64]] = []
        for try await element in watch { items.append([element.item.revision, element.missed]) }
        #expect(items == [[1, 0], [5, 3]])
        // It stays at its end.
        for try await _ in watch { Issue.record("there is nothing more") }
        withExtendedLifetime(server) {}
    }

    @Test func whatTheDaemonRefusesOrBreaksOffIsThrown() async throws {
        let error = #"{"code":-32000,"message":"no","data":{"code":"OUT_OF_RANGE","reason":"revisionGone"}}"#
        await #expect {
            try await watch { request, connection in
                connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"error":\#(error)}"#)
            }
        } throws: {
            ($0 as? CarpelError)?.code == .outOfRange
        }
        let (server, failing) = try await watch { request, connection in
            connection.send(Self.answer(request))
            connection.send(Self.notification(#""item":{"revision":"1"}"#))
            connection.send(Self.notification(#""end":true,"error":\#(error)"#))
        }
        let items = failing.makeAsyncIterator()
        #expect(try await items.next()?.item.revision == 1)
        await #expect { try await items.next() } throws: { ($0 as? CarpelError)?.reason == "revisionGone" }

        let (other, cut) = try await watch { request, connection in
            connection.send(Self.answer(request))
            connection.close()
        }
        await #expect { try await cut.makeAsyncIterator().next() } throws: {
            ($0 as? CarpelError)?.reason == "connectionClosed"
        }
        withExtendedLifetime((server, other)) {}
    }

    @Test func aCancelledReaderStopsWaiting() async throws {
        let (server, watch) = try await watch { request, connection in connection.send(Self.answer(request)) }
        let reading = Task { try await watch.makeAsyncIterator().next() == nil }
        await Task.yield()
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        withExtendedLifetime(server) {}
    }

    /// What is not read stays with the sender.
    @Test func aReaderThatDoesNotReadHoldsTheSenderBack() async throws {
        let isWritable = Latch<Bool>()
        let line = Self.notification(#""item":{"id":"\#(String(repeating: "x", count: 100_000))"}"#)
        let (server, watch) = try await watch { request, connection in
            connection.send(Self.answer(request))
            for _ in 0..<100 { connection.send(line) }
            let isFree = connection.channel.isWritable
            Task { await isWritable.set(isFree) }
        }
        #expect(try await isWritable.wait() == false)
        let items = watch.makeAsyncIterator()
        for _ in 0..<100 { #expect(try await items.next()?.item.id.utf8.count == 100_000) }
        withExtendedLifetime(server) {}
    }
}
