import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import Synchronization

extension PodSandbox {
    private static let connectTimeout = Duration.seconds(10)

    func openPort(_ port: UInt16) async throws -> any PodStream {
        let guest = try running().guest
        return try await translated("forward to the pod") {
            let socket = try await withDeadline(
                Self.connectTimeout, reason: "connectTimeout", "connecting to port \(port)"
            ) { try await guest.connect(port: port) }
            return PortStream(socket)
        }
    }
}

/// One connection to a port of the pod.
private final class PortStream: PodStream {
    private let socket: GuestSocket
    private let inputEnded = Latch<Void>()
    private let hasSentAll = Mutex(false)

    init(_ socket: GuestSocket) { self.socket = socket }

    func read() async throws -> [StreamFrame]? {
        try await translated("read from the port") {
            if let bytes = try await socket.next() { return StreamFrame.carrying(bytes, on: .data) }
            let isFirst = hasSentAll.withLock { hasSentAll in
                defer { hasSentAll = true }
                return !hasSentAll
            }
            return isFirst ? [.closing(.data)] : nil
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        try await translated("write to the port") { try await socket.write(bytes) }
    }

    func endInput() async throws {
        socket.endInput()
        await inputEnded.set(())
    }
    func resize(_ size: TerminalSize) async throws {}

    /// Either side may go on when the other has sent all it will.
    func exitCode() async throws -> Int32 {
        try await inputEnded.wait()
        return 0
    }
    func hangUp() async { socket.close() }
}
