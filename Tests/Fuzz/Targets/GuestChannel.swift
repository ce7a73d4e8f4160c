import CarpelGuestProtocol
import Logging
import NIOCore
import NIOEmbedded

@testable import CarpelRuntime

extension FuzzTarget {
    /// A conversation with a guest that does as it likes: answers that nobody asked for, credit, resets, bytes.
    static let guestChannel = FuzzTarget(name: "guest-channel", maximumLength: 4096) {
        let encoder = CBOREncoder()
        let done = try encoder.encode(GuestResponse.done)
        let started = try encoder.encode(GuestResponse.started(pid: 3, at: 4))
        let exited = try encoder.encode(GuestResponse.exited(ExitStatus(code: 0, at: 5)))
        let event = try encoder.encode(GuestEvent.containerOutOfMemory(id: "c"))
        func frame(_ kind: Frame.Kind, _ stream: UInt8, _ payload: [UInt8], detail: UInt8 = 0) -> [UInt8] {
            [Step.frame.rawValue, kind.rawValue, stream, detail, UInt8(payload.count)] + payload
        }
        let open = [Step.open.rawValue]
        return [
            open + frame(.response, 1, started) + frame(.data, 1, [1, 2], detail: 1) + [Step.read.rawValue, 0]
                + frame(.response, 1, exited) + frame(.end, 1, []),
            open + open + frame(.response, 2, done) + frame(.credit, 2, [0, 0, 1, 0]) + [Step.send.rawValue, 1, 200]
                + frame(.reset, 1, []) + frame(.event, 0, event) + [Step.cancel.rawValue, 1],
            open + frame(.response, 1, Array(done.prefix(2)), detail: 1) + frame(.response, 1, Array(done.dropFirst(2)))
                + [Step.bytes.rawValue, 3, 9, 9, 9],
            open + [Step.bytes.rawValue, 3, Frame.Kind.response.rawValue, 0, 99] + frame(.data, 1, [1, 2])
                + [Step.read.rawValue, 0],
        ]
    } run: { bytes in
        var conversation = try Conversation()
        defer { conversation.end() }
        var input = Input(bytes)
        while !input.isAtEnd { try conversation.step(&input) }
        try conversation.closeAndAwaitAll()
    }
}

private enum Step: UInt8, CaseIterable {
    case open, cancel, read, send, frame, bytes, large
}

/// The host's side of a channel, and what is known of its streams.
private struct Conversation {
    private static let mostStreams = 8

    private let channel: EmbeddedChannel
    private let streams = GuestStreams()
    private var open: [GuestStream] = []
    /// Bytes of data that have arrived and nobody has read, by stream.
    private var unread: [UInt32: [Int]] = [:]
    /// Bytes that are no frame may have swallowed the frames behind them: what arrives is not known any more.
    private var isGarbled = false

    init() throws {
        channel = EmbeddedChannel()
        let handler = GuestChannelHandler(
            nonce: FuzzTarget.nonce, streams: streams, hello: channel.embeddedEventLoop.makePromise(),
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/guest")).wait()
        receive(Hello(nonce: FuzzTarget.nonce).bytes)
    }

    func end() { _ = try? channel.finish(acceptAlreadyClosed: true) }

    mutating func step(_ input: inout Input) throws {
        switch input.choice(of: Step.allCases) {
        case .open:
            guard open.count < Self.mostStreams else { return }
            let stream = try? streams.open { [streams] frame in
                if frame.kind == .reset { streams.close(frame.stream, .failure(CancellationError())) }
            }
            if let stream { open.append(stream) }
        case .cancel: stream(&input)?.cancel()
        case .read: if let stream = stream(&input) { try read(stream) }
        case .send:
            guard let stream = stream(&input) else { return }
            let bytes = [UInt8](repeating: 1, count: Int(input.byte()) << 10)
            // Without credit it would wait for more, which may never come.
            try giveUp { try await stream.send(bytes) }
        case .frame:
            let kind = input.choice(of: Frame.Kind.allCases)
            let stream = UInt32(input.byte() % UInt8(Self.mostStreams + 2))
            let detail = input.byte()
            receive(Frame(kind, stream: stream, detail: detail, payload: input.bytes(Int(input.byte()))))
        case .bytes:
            isGarbled = true
            receive(input.bytes(Int(input.byte())))
        case .large:
            let stream = UInt32(input.byte() % UInt8(Self.mostStreams + 2))
            receive(Frame(.data, stream: stream, payload: [UInt8](repeating: 1, count: Frame.maximumPayload)))
        }
        try Finding.require(
            unread.values.allSatisfy { $0.reduce(0, +) <= Frame.initialCredit }, "a guest sends beyond its credit")
    }

    private func stream(_ input: inout Input) -> GuestStream? {
        let index = Int(input.byte())
        return open.isEmpty ? nil : open[index % open.count]
    }

    private func receive(_ bytes: [UInt8]) { _ = try? channel.writeInbound(ByteBuffer(bytes: bytes)) }

    private mutating func receive(_ frame: Frame) {
        var bytes: [UInt8] = []
        FrameEncoder().encode(frame, into: &bytes)
        let isOpen = streams[frame.stream] != nil
        receive(bytes)
        if frame.kind == .data, isOpen, channel.isActive, !isGarbled {
            unread[frame.stream, default: []].append(frame.payload.count)
        }
    }

    /// Reads what has arrived.
    private mutating func read(_ stream: GuestStream) throws {
        guard let length = unread[stream.id]?.first else { return }
        let data = try waiting { try? await stream.next() }
        guard let data else { return }
        try Finding.require(data.bytes.count == length, "data is cut or in another order")
        unread[stream.id]?.removeFirst()
    }

    /// Starts `body`, gives it up at once, and waits until it has ended.
    private func giveUp(_ body: @escaping @Sendable () async throws -> Void) throws {
        try waiting {
            let task = Task { try await body() }
            task.cancel()
            _ = await task.result
        }
    }

    /// When the connection has ended, so does everything that somebody waits for.
    func closeAndAwaitAll() throws {
        end()
        for stream in open {
            try waiting {
                _ = try? await stream.response(1)
                while let data = try? await stream.next(), !data.bytes.isEmpty {}
                try? await stream.send([1])
            }
        }
    }
}
