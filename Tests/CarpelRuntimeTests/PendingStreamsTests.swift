import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelRuntime

@Suite struct PendingStreamsTests {
    private struct Nothing: PodStream {
        func read() async throws -> [StreamFrame]? { nil }
        func write(_ bytes: [UInt8]) async throws {}
        func endInput() async throws {}
        func resize(_ size: TerminalSize) async throws {}
        func exitCode() async throws -> Int32 { 0 }
        func hangUp() async {}
    }

    private func reason(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? CarpelError)?.reason }
        return nil
    }

    @Test func aUrlWorksOnce() throws {
        let streams = PendingStreams()
        let url = try streams.add { Nothing() }
        #expect(url.hasPrefix("carpel:///streams/") && url.count > 64)
        _ = try streams.take(url)
        #expect(reason { _ = try streams.take(url) } == "streamNotFound")
    }

    @Test func aUrlThatNobodyUsedExpires() throws {
        let streams = PendingStreams(lifetime: .zero)
        let url = try streams.add { Nothing() }
        #expect(reason { _ = try streams.take(url) } == "streamNotFound")
    }

    @Test func thereIsABoundAndExpiredOnesAreNotInIt() throws {
        let full = PendingStreams(maximum: 2)
        for _ in 0..<2 { _ = try full.add { Nothing() } }
        #expect(reason { _ = try full.add { Nothing() } } == "tooManyStreams")
        let passing = PendingStreams(lifetime: .zero, maximum: 2)
        for _ in 0..<5 { _ = try passing.add { Nothing() } }
    }
}
