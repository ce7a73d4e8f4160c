import CarpelAPI
import CarpelCore
import CarpelRuntime
import Foundation
import Logging
import NIOCore
import NIOPosix

/// The Unix socket: accepts connections and answers their lines.
public struct Server: Sendable {
    /// Requests of one connection that are carried out at the same time; more are read later.
    private static let concurrentRequests = 64

    struct Connection: Sendable {
        let lines: NIOAsyncChannel<Line, ByteBuffer>
        let framing: FrameDecoding
    }

    private let path: String
    private let configuration: SocketConfiguration
    private let dispatcher: Dispatcher
    private let logger: Logger
    private let listener: NIOAsyncChannel<Connection, Never>

    /// Binds the socket, in place of one that a dead daemon left.
    public init(path: String, runtime: Runtime, configuration: SocketConfiguration, logger: Logger) async throws {
        self.path = path
        self.configuration = configuration
        self.logger = logger
        dispatcher = Dispatcher(MethodTable(runtime), logger: logger)
        listener = try await Self.bind(path, adminGroup: configuration.adminGroup)
    }

    static func bind(_ path: String, adminGroup: String) async throws -> NIOAsyncChannel<Connection, Never> {
        let socket = try BoundSocket.at(path)
        try socket.admit(group: GroupDatabase.id(of: adminGroup))
        let descriptor = socket.take()
        let budget = LineBudget()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let framing = FrameDecoding()
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(LineDecoder(budget, framing: framing)))
                    let lines = try NIOAsyncChannel<Line, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                    return Connection(lines: lines, framing: framing)
                }
            }
        // More wait for the daemon than the 128 of a socket that NIO did not bind itself.
        listen(descriptor, 256)
        return listener
    }

    /// Serves until the task is cancelled; then the socket is gone and the machines run on.
    public func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { connections in
                let open = OpenConnections(maximum: configuration.maximumConnections)
                for try await connection in connections {
                    group.addTask {
                        await open.counting { isOneTooMany in
                            if isOneTooMany {
                                await refuse(connection, beyond: open.maximum)
                            } else {
                                await serve(connection)
                            }
                        }
                    }
                }
            }
            group.cancelAll()
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    private func refuse(_ connection: Connection, beyond maximum: Int) async {
        let error = CarpelError(
            .resourceExhausted, "tooManyConnections",
            "the daemon serves \(maximum) connections at most; close some")
        logger.warning("\(error.message)")
        try? await connection.lines.executeThenClose { _, writer in
            try await writer.write(ByteBuffer(bytes: dispatcher.failure(error, id: .null) + Data("\n".utf8)))
        }
    }

    private func serve(_ connection: Connection) async {
        do {
            let channel = connection.lines.channel
            let role = try await Peer.of(channel).role(in: configuration)
            try await connection.lines.executeThenClose { lines, writer in
                try await cancellingWhenClosed(channel) {
                    try await answer(lines, of: connection, as: role, through: writer)
                }
            }
        } catch {
            logger.debug("a connection ended", metadata: ["cause": "\(error)"])
        }
    }

    /// Reads until the client has sent all it wants to, and answers until it has hung up.
    private func answer(
        _ lines: NIOAsyncChannelInboundStream<Line>, of connection: Connection, as role: Role?,
        through writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        let notifications = Notifier(writer)
        let subscriptions = Subscriptions { try await writer.write(ByteBuffer(bytes: $0)) }
        defer { subscriptions.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await notifications.run() }
            group.addTask {
                defer { notifications.finish() }
                var lines = lines.makeAsyncIterator()
                var line = try await lines.next()
                while case .complete(let first, _) = line, StreamOpening.mayBe(first) {
                    if let stream = try await open(first, on: connection, as: role) {
                        return try await stream.run(&lines)
                    }
                    line = try await lines.next()
                }
                try await withThrowingTaskGroup(of: Void.self) { requests in
                    var underWay = 0
                    while let next = line {
                        if underWay == Self.concurrentRequests { try await requests.next() } else { underWay += 1 }
                        requests.addTask {
                            let context = CallContext(
                                role: role, notify: { notifications.send($0, $1) },
                                subscriptions: CallSubscriptions(subscriptions))
                            try await answer(next, context, through: writer)
                        }
                        line = try await lines.next()
                    }
                    try await requests.waitForAll()
                }
                await withTaskCancellationHandler {
                    await subscriptions.ended()
                } onCancel: {
                    subscriptions.close()
                }
            }
            try await group.waitForAll()
        }
    }

    /// Answers a line that may be an OpenStream.
    ///
    /// - Returns: what the connection has become, nil if it is still one of lines.
    private func open(
        _ line: ByteBuffer, on connection: Connection, as role: Role?
    ) async throws -> StreamConnection? {
        let opening = StreamOpening(connection.framing)
        let context = CallContext(role: role, notify: { _, _ in }, opening: opening)
        let answer = await dispatcher.answer(Array(line.readableBytesView), context)
        let channel = connection.lines.channel
        if let answer { try await channel.writeAndFlush(ByteBuffer(bytes: answer + Data("\n".utf8))) }
        return opening.stream.map { StreamConnection(stream: $0, channel: channel) }
    }

    private func answer(
        _ line: Line, _ context: CallContext, through writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        let answer: Data?
        switch line {
        case .complete(let bytes, let reservation):
            defer { withExtendedLifetime(reservation) {} }
            answer = await dispatcher.answer(Array(bytes.readableBytesView), context)
        case .refused(let refusal):
            answer = dispatcher.answer(to: refusal)
        case .frame:
            return
        }
        guard let answer else { return }
        try await writer.write(ByteBuffer(bytes: answer + Data("\n".utf8)))
        context.subscriptions?.begin()
    }
}

/// Cancels `operation` when the client has hung up: nobody waits for its answer any more.
private func cancellingWhenClosed(
    _ channel: any Channel, _ operation: @escaping @Sendable () async throws -> Void
) async throws {
    let task = Task { try await operation() }
    channel.closeFuture.whenComplete { _ in task.cancel() }
    try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}
