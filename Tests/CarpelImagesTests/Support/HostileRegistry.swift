import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import CarpelImages

/// A registry that does what a real one does not: lies, breaks off, ignores ranges. It stands for a hostile or broken
/// server; what works is tested against a real registry.
final class HostileRegistry: Sendable {
    struct Request: Sendable {
        let method: String
        let path: String
        let query: String
        let headers: [String: String]
        let body: String
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// Sends only so many bytes of the body, then closes the connection.
        var breaksAfter: Int?
        /// Sends only so many bytes of the body, then says nothing more.
        var stallsAfter: Int?
        /// Leaves out Content-Length: the end of the connection is the end of the body.
        var hidesLength = false
    }

    typealias Behaviour = @Sendable (Request) -> Answer?

    let port: Int
    var name: String { "127.0.0.1:\(port)" }
    private let channel: any Channel
    private let journal = Journal()
    /// Each request as it comes.
    let requests: AsyncStream<Request>

    var seen: [Request] { journal.seen.withLock { $0 } }

    private final class Journal: Sendable {
        let seen = Mutex<[Request]>([])
    }

    /// - Parameter behaviour: answers a request, or nil to have it answered as a good registry with `images` would.
    init(_ images: [String: TestImage], _ behaviour: @escaping Behaviour = { _ in nil }) async throws {
        let (requests, arrivals) = AsyncStream<Request>.makeStream()
        self.requests = requests
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { [journal] channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    let handler = Handler { request in
                        journal.seen.withLock { $0.append(request) }
                        arrivals.yield(request)
                        return behaviour(request) ?? Self.honest(request, images)
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    deinit { channel.close(promise: nil) }

    /// What a good registry answers, ranges included.
    static func honest(_ request: Request, _ images: [String: TestImage]) -> Answer {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 4, parts[0] == "v2", let image = images[parts[1..<parts.count - 2].joined(separator: "/")]
        else { return Answer(status: 404) }
        let wanted = try? Digest(parts[parts.count - 1])
        guard let bytes = image.blobs[wanted ?? image.target.digest] else { return Answer(status: 404) }
        if parts[parts.count - 2] == "manifests" {
            let type = wanted == nil || wanted == image.target.digest ? image.target.mediaType : MediaType.ociManifest
            return Answer(headers: [("Content-Type", type)], body: bytes)
        }
        guard let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast()) else {
            return Answer(body: bytes)
        }
        return Answer(
            status: 206, headers: [("Content-Range", "bytes \(start)-\(bytes.count - 1)/\(bytes.count)")],
            body: Array(bytes[start...]))
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: (Request) -> Answer
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ answer: @escaping (Request) -> Answer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let buffer): body += String(buffer: buffer)
            case .end:
                guard let head else { return }
                let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
                let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
                let request = Request(
                    method: head.method.rawValue, path: parts[0].removingPercentEncoding ?? parts[0],
                    query: parts.count > 1 ? parts[1] : "", headers: headers, body: body)
                body = ""
                send(answer(request), context)
            }
        }

        private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
            var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status))
            for (name, value) in answer.headers { head.headers.add(name: name, value: value) }
            if answer.hidesLength {
                head.version = .http1_0
                head.headers.add(name: "Connection", value: "close")
            } else {
                head.headers.add(name: "Content-Length", value: "\(answer.body.count)")
            }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            let cut = answer.breaksAfter ?? answer.stallsAfter ?? answer.body.count
            let body = context.channel.allocator.buffer(bytes: answer.body.prefix(cut))
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            if answer.stallsAfter != nil { return }
            if answer.breaksAfter != nil {
                context.close(promise: nil)
                return
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            if answer.hidesLength { context.close(promise: nil) }
        }
    }
}
