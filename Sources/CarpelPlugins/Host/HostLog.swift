import CarpelCore
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// What a host and its plugin write on standard error, as lines of the daemon's log.
final class HostLog: Sendable {
    /// Bytes of a line; the rest of a longer one is left out.
    private static let mostLineLength = 8192
    private static let mostLinesPerSecond = 100
    /// Lines kept for the cause of a host's death.
    private static let lastWords = 3

    private let logger: Logger
    private let last = Mutex<[String]>([])
    private let ended = Latch<Void>()

    init(logger: Logger) { self.logger = logger }

    /// - Parameter descriptor: the reading end of the pipe, which now belongs to the log.
    func read(from descriptor: Int32) async throws {
        _ = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(log: self))
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor).get()
    }

    /// Returns when nobody can write any more and all is read.
    func end() async throws { try await ended.wait() }

    /// What was written last, in one line; empty if nothing was.
    var lastWords: String { last.withLock { $0.joined(separator: " / ") } }

    private func write(_ line: String) {
        logger.info("\(line)")
        last.withLock { lines in
            lines.append(line)
            if lines.count > Self.lastWords { lines.removeFirst() }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let log: HostLog
        private var line: [UInt8] = []
        private var isCut = false
        private var second = NIODeadline.now()
        private var linesInSecond = 0
        private var leftOut = 0

        init(log: HostLog) { self.log = log }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            for byte in Self.unwrapInboundIn(data).readableBytesView {
                if byte == UInt8(ascii: "\n") {
                    endLine()
                } else if line.count < HostLog.mostLineLength {
                    line.append(byte)
                } else {
                    isCut = true
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if !line.isEmpty { endLine() }
            reportLeftOut()
            Task { [log] in await log.ended.set(()) }
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func endLine() {
            defer { (line, isCut) = ([], false) }
            let now = NIODeadline.now()
            if now - second >= .seconds(1) {
                reportLeftOut()
                (second, linesInSecond) = (now, 0)
            }
            linesInSecond += 1
            guard linesInSecond <= HostLog.mostLinesPerSecond else { return leftOut += 1 }
            log.write(Self.printable(line) + (isCut ? "…" : ""))
        }

        private func reportLeftOut() {
            guard leftOut > 0 else { return }
            log.logger.warning("the plugin writes too much: left lines out", metadata: ["lines": "\(leftOut)"])
            leftOut = 0
        }

        /// A plugin must not steer the terminal that the log is read on.
        private static func printable(_ bytes: [UInt8]) -> String {
            var text = String.UnicodeScalarView()
            for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
                text.append(scalar.properties.generalCategory == .control && scalar != "\t" ? "\u{FFFD}" : scalar)
            }
            return String(text)
        }
    }
}
