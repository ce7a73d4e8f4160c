import CarpelCore
import CarpelGuestProtocol
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import CarpelRuntime

/// The host stores times in 63 bits: a guest that named a later one ended the daemon.
@Suite struct HostileGuestTests {
    private static let exited = ExitStatus(code: 0, at: .max)

    private static func state(_ phase: GuestState.Container.Phase, nextOutput: UInt64 = 0) -> GuestResponse {
        .state(
            GuestState(
                agentVersion: "1", configured: true,
                containers: [.init(id: "c", phase: phase, nextOutput: nextOutput)]))
    }

    @Test(arguments: [
        GuestResponse.started(pid: 1, at: .max), .exited(exited), state(.running(pid: 1, since: .max)),
        state(.exited(exited, started: 0)), state(.exited(ExitStatus(code: 0, at: 0), started: 1 << 63)),
        state(.created, nextOutput: .max), .frozen(nextOutput: ["a": 1, "b": .max]),
    ])
    func anAnswerWithANumberThatNothingHasEndsTheConnection(response: GuestResponse) throws {
        let guest = try Guest()
        _ = try guest.streams.open { _ in }
        try guest.say(.response, stream: 1, GuestResponse.started(pid: 1, at: UInt64(Int64.max) - 1))
        #expect(guest.channel.isActive)
        try guest.say(.response, stream: 1, response)
        #expect(!guest.channel.isActive)
    }

    @Test func anEventWithANumberThatNothingHasEndsTheConnection() throws {
        let guest = try Guest()
        try guest.say(.event, stream: 0, GuestEvent.containerExited(id: "c", ExitStatus(code: 0, at: 1)))
        #expect(guest.channel.isActive)
        try guest.say(.event, stream: 0, GuestEvent.containerExited(id: "c", Self.exited))
        #expect(!guest.channel.isActive)
    }

    /// 4096 events that nobody has read yet could hold 4 GiB.
    @Test func anEventIsSmall() throws {
        let guest = try Guest()
        try guest.say(.event, stream: 0, GuestEvent.containerOutOfMemory(id: String(repeating: "c", count: 16 << 10)))
        #expect(!guest.channel.isActive)
    }

    /// The rate did not fit its type.
    @Test func allThatCanBeUsedInANanosecondIsARate() {
        var rates = CPURates()
        #expect(rates.note("p", time: 1, usage: 0) == nil)
        #expect(rates.note("p", time: 2, usage: .max) == 1 << 63)
    }

    /// The number behind the last one overflowed.
    @Test func aRecordWithTheLastNumberIsRefused() throws {
        let record = OutputRecord(sequence: .max, channel: .stdout, time: 0, bytes: [])
        #expect(throws: CarpelError.self) { try record.checkNumbers() }
        try OutputRecord(sequence: 7, channel: .stdout, time: .max, bytes: []).checkNumbers()
    }
}

/// A guest at the other end of the host's channel.
private struct Guest {
    let channel = EmbeddedChannel()
    let streams = GuestStreams()

    init() throws {
        let handler = GuestChannelHandler(
            nonce: FuzzTarget.nonce, streams: streams, hello: channel.embeddedEventLoop.makePromise(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/guest")).wait()
        try channel.writeInbound(ByteBuffer(bytes: Hello(nonce: FuzzTarget.nonce).bytes))
    }

    func say(_ kind: Frame.Kind, stream: UInt32, _ message: some Encodable) throws {
        var bytes: [UInt8] = []
        for frame in Frame.message(kind, stream: stream, try CBOREncoder().encode(message)) {
            FrameEncoder().encode(frame, into: &bytes)
        }
        try channel.writeInbound(ByteBuffer(bytes: bytes))
    }
}
