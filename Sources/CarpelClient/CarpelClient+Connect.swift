import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import NIOPosix

extension CarpelClient {
    /// Connects to the daemon.
    ///
    /// - Parameter socketPath: the path of the daemon's Unix socket.
    public static func connect(socketPath: String = CarpelVersion.defaultSocket) async throws -> CarpelClient {
        let calls = PendingCalls(of: .daemon)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(LineDecoder(of: .daemon)), ReplyHandler(calls: calls),
                    ])
                }
            }
        do {
            let channel = try await bootstrap.connect(unixDomainSocketPath: socketPath).get()
            return CarpelClient(socketPath: socketPath, channel: channel, calls: calls)
        } catch {
            throw connectError(error, socketPath: socketPath)
        }
    }

    static func connectError(_ error: any Error, socketPath: String) -> CarpelError {
        if case SocketAddressError.unixDomainSocketPathTooLong = error {
            return CarpelError(
                .invalidArgument, "socketPathTooLong",
                "the socket's path \(socketPath) is longer than the 107 bytes that Linux allows")
        }
        switch (error as? IOError)?.errnoCode {
        case ENOENT, ECONNREFUSED:
            return CarpelError(
                .unavailable, "daemonNotRunning",
                "no daemon answers at \(socketPath): start one with `carpeld` (as root), "
                    + "or name its socket with --socket or CARPEL_SOCKET")
        case EACCES, EPERM:
            return CarpelError(
                .permissionDenied, "socketNotAllowed",
                "you may not open \(socketPath): become root, or join the group that owns it "
                    + "(`usermod -aG carpel USER`, then log in again)")
        default:
            return CarpelError(.unavailable, "connectFailed", "cannot connect to \(socketPath): \(error)")
        }
    }
}
