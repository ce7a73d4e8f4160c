import CarpelAPI
import CarpelClient
import CarpelCore
import NIOCore
import NIOPosix

/// Listens on a port of this machine, and carries each connection to a port of a pod.
struct PortForwarding: Sendable {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let client: CarpelClient
    let podID: String
    private let port: UInt16
    private let listener: NIOAsyncChannel<Connection, Never>

    init(to port: UInt16, of podID: String, from address: String, _ hostPort: UInt16, client: CarpelClient) async throws
    {
        self.client = client
        self.podID = podID
        self.port = port
        do {
            listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: address, port: Int(hostPort)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Connection(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
        } catch {
            throw CarpelError(
                .failedPrecondition, "cannotListen",
                "cannot listen on \(address) port \(hostPort): \(error); choose another port, as in 8080:\(port)")
        }
    }

    /// Where it listens: `127.0.0.1:8080`.
    var address: String {
        guard let address = listener.channel.localAddress, let host = address.ipAddress, let port = address.port else {
            return "?"
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Serves until the task is cancelled. A connection that fails ends by itself.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await forward(connection) }
                }
            }
        }
    }

    private func forward(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { inbound, _ in
                let request = PortForwardRequest {
                    $0.podSandboxId = podID
                    $0.port = [Int32(port)]
                }
                let stream = try await client.openStream(url: try await client.call(Methods.portForward, request).url)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await bytes in inbound { try await stream.write(Array(bytes.readableBytesView)) }
                        try await stream.closeInput()
                    }
                    group.addTask { try await copy(stream, to: connection.channel) }
                    try await group.waitForAll()
                }
            }
        } catch let error as CarpelError where error.code != .cancelled {
            Console.complain("port \(port): \(error.message)")
        } catch {
            // The client hung up, or we are to end.
        }
    }

    private func copy(_ stream: ByteStream, to channel: any Channel) async throws {
        while let frame = try await stream.read() {
            switch frame.channel {
            case .data: try await channel.writeAndFlush(ByteBuffer(bytes: frame.payload))
            case .close: try await channel.close(mode: .output)
            default: break
            }
        }
    }
}
