import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import Testing

@testable import CarpelClient

@Suite(.timeLimit(.minutes(1)))
struct ByteStreamTests {
    /// A server whose connections become streams that send these pieces, a while apart, and then end.
    private func server(_ pieces: [[UInt8]]) async throws -> LineServer {
        try await LineServer.start { request, connection in
            connection.send(#"{"jsonrpc":"2.0","id":\#(request.id),"result":{}}"#)
            let channel = connection.channel
            for (index, piece) in pieces.enumerated() {
                channel.eventLoop.scheduleTask(in: .milliseconds(Int64(20 * index))) {
                    channel.writeAndFlush(ByteBuffer(bytes: piece), promise: nil)
                    if index == pieces.count - 1 { channel.close(promise: nil) }
                }
            }
        }
    }

    private func open(_ pieces: [[UInt8]]) async throws -> ByteStream {
        let server = try await server(pieces)
        defer { withExtendedLifetime(server) {} }
        let client = try await CarpelClient.connect(socketPath: server.path)
        return try await client.openStream(url: "carpel:///streams/x")
    }

    @Test func aFrameThatComesInPiecesIsReadToItsEnd() async throws {
        let frame = StreamFrame(.stdout, Array("piece by piece".utf8)).bytes
        let status = StreamFrame(.status, Array(#"{"exitCode":4}"#.utf8)).bytes
        let stream = try await open([Array(frame[..<2]), Array(frame[2..<9]), Array(frame[9...]), status])
        #expect(try await stream.read()?.payload == Array("piece by piece".utf8))
        #expect(try await stream.read() == nil)
        #expect(try await stream.read() == nil)
        #expect(stream.exitCode == 4)
    }

    @Test func anErrorAtTheEndIsThrown() async throws {
        let error = StreamStatus(CarpelError(.unavailable, "guestDisconnected", "the pod is gone"))
        let stream = try await open([StreamFrame(.status, Array(try JSONEncoder().encode(error))).bytes])
        await #expect(throws: CarpelError(.unavailable, "guestDisconnected", "the pod is gone")) {
            try await stream.read()
        }
    }

    @Test func anEndWithoutAStatusIsNoEnd() async throws {
        let stream = try await open([StreamFrame(.stdout, [1]).bytes])
        #expect(try await stream.read()?.payload == [1])
        await #expect { try await stream.read() } throws: { ($0 as? CarpelError)?.reason == "connectionClosed" }
    }

    @Test func whatIsNoFrameEndsTheStream() async throws {
        let stream = try await open([[77, 0, 0, 0, 0]])
        await #expect { try await stream.read() } throws: { ($0 as? CarpelError)?.reason == "unreadableAnswer" }
    }

    @Test func aRefusalIsThrownByTheOpening() async throws {
        let server = try await LineServer.start { request, connection in
            let error = JSONRPC.ErrorObject(CarpelError(.notFound, "streamNotFound", "no stream"))
            let failure = JSONRPC.Failure(id: .number(Int64(request.id)), error: error)
            connection.send(String(decoding: (try? JSONEncoder().encode(failure)) ?? Data(), as: UTF8.self))
        }
        let client = try await CarpelClient.connect(socketPath: server.path)
        await #expect(throws: CarpelError(.notFound, "streamNotFound", "no stream")) {
            try await client.openStream(url: "carpel:///streams/x")
        }
        withExtendedLifetime(server) {}
    }

    @Test func waitingForAFrameCanBeCancelled() async throws {
        let stream = try await open([])
        let reading = Task { try await stream.read() }
        reading.cancel()
        await #expect { try await reading.value } throws: { ($0 as? CarpelError)?.code == .cancelled }
    }
}
