import CarpelAPI
import CarpelCore
import CarpelRuntime
import Foundation
import NIOCore

/// A connection that has become a byte stream: carries frames between its client and the pod, until either is done.
struct StreamConnection {
    typealias Frames = NIOAsyncChannelInboundStream<Line>.AsyncIterator

    /// How long a client may take to hang up once it has been told the end.
    private static let patience = TimeAmount.seconds(5)

    let stream: any PodStream
    let channel: any Channel

    /// Returns when the client has hung up, or should have.
    func run(_ frames: inout Frames) async throws {
        let stream = stream
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await sendOutput() }
                try await takeInput(&frames)
                try await group.waitForAll()
            }
        } catch {
            // Whoever ran this may have been cancelled already.
            await Task { await stream.hangUp() }.value
            throw error
        }
    }

    private func sendOutput() async throws {
        let status: StreamStatus
        do {
            while let frames = try await stream.read() {
                for frame in frames { try await send(frame) }
            }
            status = StreamStatus(exitCode: try await stream.exitCode())
        } catch let error as CarpelError {
            try Task.checkCancellation()
            status = StreamStatus(error)
        }
        try await end(with: status)
    }

    private func end(with status: StreamStatus) async throws {
        try await send(StreamFrame(.status, Array(try JSONRPC.encode(status))))
        try await channel.close(mode: .output)
        // What the client may still send is read until it has read this: a reset could overtake the status.
        let channel = channel
        channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }

    /// Returns once the socket has taken it: a client that does not read makes the pod wait, and nobody else.
    private func send(_ frame: StreamFrame) async throws {
        var bytes = channel.allocator.buffer(capacity: StreamFrame.headerSize + frame.payload.count)
        bytes.writeBytes(frame.header)
        bytes.writeBytes(frame.payload)
        try await channel.writeAndFlush(bytes)
    }

    private func takeInput(_ frames: inout Frames) async throws {
        var isOpen = true
        while let line = try await nextFrame(&frames) {
            switch line.channel {
            case .data: if isOpen { isOpen = await write(line.payload) }
            case .resize: await resize(line.payload)
            case .close where line.payload == [StreamFrame.Channel.data.rawValue]:
                if isOpen { try? await stream.endInput() }
                isOpen = false
            case .close, .stdout, .stderr, .status, .notice: break
            }
            try Task.checkCancellation()
        }
        if isOpen { try? await stream.endInput() }
    }

    private func nextFrame(_ frames: inout Frames) async throws -> StreamFrame? {
        do {
            guard case .frame(let frame) = try await frames.next() else { return nil }
            return frame
        } catch let error as StreamFrameError {
            let refusal = CarpelError(
                .invalidArgument, "frameInvalid",
                "what came is no frame (\(error)): a frame is a channel, a length of at most "
                    + "\(StreamFrame.maximumPayload) in four bytes, and as many bytes")
            try? await end(with: StreamStatus(refusal))
            throw refusal
        }
    }

    /// - Returns: false if the pod does not take anything any more. Its end tells why.
    private func write(_ bytes: [UInt8]) async -> Bool { (try? await stream.write(bytes)) != nil }

    /// A size that cannot be set, since the process has just ended, is no reason to end the stream.
    private func resize(_ payload: [UInt8]) async {
        guard let size = try? JSONDecoder().decode(TerminalSize.self, from: Data(payload)) else { return }
        try? await stream.resize(size)
    }
}
