import CarpelCore
import CarpelGuestProtocol
import Glibc
import Logging
import NIOCore
import NIOPosix

/// The host's side of the conversation with the agent in a pod's machine.
///
/// One connection is one session. When it breaks, everything on it fails with `UNAVAILABLE`, reason
/// `guestDisconnected`; the agent keeps the containers, their state and their output for the next one.
/// A machine's channel has one connection at a time; another one waits until it is closed.
public final class GuestConnection: Sendable {
    private let channel: any Channel
    private let streams: GuestStreams
    private let encoder: FrameEncoder

    /// What the agent tells without having been asked, for one reader. Ends with the connection.
    public var events: AsyncStream<GuestEvent> { streams.events }

    /// Requests that are not answered yet, outputs that are followed, commands and connections to ports.
    public var openStreams: Int { streams.count }

    private init(channel: any Channel, streams: GuestStreams, encoder: FrameEncoder) {
        self.channel = channel
        self.streams = streams
        self.encoder = encoder
    }

    deinit { channel.close(promise: nil) }

    /// Connects to the machine's channel socket and waits for the agent's HELLO, which may have to boot first.
    ///
    /// - Throws: `CarpelError` with `UNAVAILABLE` if nobody listens there or the machine ends,
    ///   `DEADLINE_EXCEEDED`, reason `agentSilent`, if the agent has not answered after `timeout`.
    public static func connect(
        socketPath: String, timeout: Duration, logger: Logger
    ) async throws -> GuestConnection {
        let deadline = ContinuousClock.now + timeout
        var patience = firstPatience
        while true {
            let left = deadline - ContinuousClock.now
            do {
                return try await attempt(socketPath: socketPath, timeout: min(patience, left), logger: logger)
            } catch let error as CarpelError where error.reason == "agentSilent" {
                guard patience < left else {
                    throw CarpelError(error.code, error.reason, "the agent did not answer within \(timeout)")
                }
                patience *= 2
            } catch let error as CarpelError where error.reason == "guestBusy" {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// How long a connection may stay silent before another one is tried, at first; each one gets twice as long.
    ///
    /// QEMU (7.2, virtio-console.c, `flush_buf`) can leave the port throttled for good: when the agent's bytes meet a
    /// connection that breaks while the guest's receive queue is full, it closes the port first and throttles it
    /// afterwards. What ends that is the end of the next connection.
    private static let firstPatience = Duration.seconds(2)

    private static func attempt(
        socketPath: String, timeout: Duration, logger: Logger
    ) async throws -> GuestConnection {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let streams = GuestStreams()
        let hello = loop.makePromise(of: Void.self)
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<Hello.nonceSize).map { _ in UInt8.random(in: 0...255, using: &generator) }

        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            GuestChannelHandler(nonce: nonce, streams: streams, hello: hello, logger: logger))
                    }
                }
                .connect(unixDomainSocketPath: socketPath).get()
        } catch {
            // QEMU's backlog is one connection: an earlier one that it has not seen the end of yet.
            let isBusy = (error as? IOError)?.errnoCode == EAGAIN
            let failure = CarpelError(
                .unavailable, isBusy ? "guestBusy" : "guestUnreachable",
                "cannot connect to the machine's channel \(socketPath): \(error)")
            hello.fail(failure)
            throw failure
        }
        let connection = GuestConnection(channel: channel, streams: streams, encoder: FrameEncoder(mask: nonce))
        try await connection.wait(for: hello, timeout: timeout)
        return connection
    }

    private func wait(for hello: EventLoopPromise<Void>, timeout: Duration) async throws {
        let silence = channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            hello.fail(CarpelError(.deadlineExceeded, "agentSilent", "the agent did not answer within \(timeout)"))
        }
        defer { silence.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await hello.futureResult.get()
            } onCancel: {
                hello.fail(CancellationError())
            }
        } catch {
            await close()
            throw error
        }
    }

    /// Asks, and waits for the answer. Cancelling gives the request up; what the agent has done by then stays done.
    ///
    /// - Throws: `GuestFailure` if the agent could not do it, `CarpelError` if it could not be asked.
    @discardableResult
    public func call(_ request: GuestRequest) async throws -> GuestResponse {
        let stream = try open(request)
        return try await answer(0, of: stream)
    }

    /// Starts a process in a running container.
    ///
    /// - Throws: as `call`.
    public func exec(_ spec: ExecSpec) async throws -> GuestProcess {
        let stream = try open(.exec(spec))
        guard case .started(let pid, let time) = try await answer(0, of: stream) else {
            stream.cancel()
            throw CarpelError(.internal, "guestAnswer", "the agent's answer to an exec is not its start")
        }
        return GuestProcess(id: spec.id, pid: pid, startedAt: time, stream: stream, connection: self)
    }

    /// The output of a container from the record `from` on, as fast as it is read: what is not read is not sent,
    /// and in the end makes the container wait. Ends when the container has exited and all has been read.
    ///
    /// - Throws: as `call`; the sequence throws `CarpelError` when the connection breaks.
    public func output(
        of container: String, from sequence: UInt64
    ) async throws -> AsyncThrowingStream<OutputRecord, any Error> {
        let output = try await follow(container, from: sequence)
        return AsyncThrowingStream { try await output.next() }
    }

    /// As `output(of:from:)`, for a reader who may stop before the end.
    ///
    /// - Throws: as `call`.
    public func follow(_ container: String, from sequence: UInt64) async throws -> GuestOutput {
        let stream = try open(.followOutput(container: container, from: sequence))
        _ = try await answer(0, of: stream)
        return GuestOutput(stream)
    }

    /// Connects to a TCP port of the pod's own.
    ///
    /// - Throws: as `call`; `connectionRefused` if nobody listens.
    public func connect(port: UInt16) async throws -> GuestSocket {
        let stream = try open(.connect(port: port))
        _ = try await answer(0, of: stream)
        return GuestSocket(stream)
    }

    /// Opens the stdin of a container's first process.
    ///
    /// - Throws: as `call`; `alreadyExists` while somebody else has it.
    public func attachInput(to container: String, closeAtEnd: Bool) async throws -> GuestInput {
        let stream = try open(.attachInput(container: container, closeAtEnd: closeAtEnd))
        _ = try await answer(0, of: stream)
        return GuestInput(stream)
    }

    /// Returns when the connection has ended, for whatever reason.
    public func waitUntilClosed() async { try? await channel.closeFuture.get() }

    public func close() async { try? await channel.close() }

    private func open(_ request: GuestRequest) throws -> GuestStream {
        let message = try CBOREncoder().encode(request)
        guard message.count <= MessageAssembler.maximumRequest else {
            throw CarpelError(
                .invalidArgument, "requestTooLarge",
                "a request to the agent has \(message.count) bytes, \(MessageAssembler.maximumRequest) are possible")
        }
        let stream = try streams.open { [channel, streams, encoder] frame in
            var bytes: [UInt8] = []
            encoder.encode(frame, into: &bytes)
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            if frame.kind == .reset { streams.close(frame.stream, .failure(CancellationError())) }
        }
        var bytes: [UInt8] = []
        for frame in Frame.message(.request, stream: stream.id, message) { encoder.encode(frame, into: &bytes) }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        return stream
    }

    private func answer(_ index: Int, of stream: GuestStream) async throws -> GuestResponse {
        let response = try await StreamOwner(stream, cancelsAtEnd: false).cancelling { try await $0.response(index) }
        if case .failed(let failure) = response { throw failure }
        return response
    }
}

/// Gives a stream up when the task that uses it is cancelled, or nobody uses it any more.
final class StreamOwner: Sendable {
    private let stream: GuestStream
    private let cancelsAtEnd: Bool

    init(_ stream: GuestStream, cancelsAtEnd: Bool = true) {
        self.stream = stream
        self.cancelsAtEnd = cancelsAtEnd
    }

    deinit { if cancelsAtEnd { stream.cancel() } }

    func cancelling<Value: Sendable>(
        _ body: @Sendable (GuestStream) async throws -> Value
    ) async throws -> Value {
        do {
            return try await body(stream)
        } catch is CancellationError {
            stream.cancel()
            throw CancellationError()
        }
    }
}
