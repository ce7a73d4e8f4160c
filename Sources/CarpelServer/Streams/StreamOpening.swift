import CarpelAPI
import CarpelCore
import CarpelRuntime
import NIOCore
import Synchronization

/// Turns a connection into a byte stream, as OpenStream asks.
///
/// It must be the connection's first request, since whatever else is under way would be answered between the frames,
/// and the client sends no frame before the answer.
final class StreamOpening: Sendable {
    private let decoding: FrameDecoding
    private let opened = Mutex<(any PodStream)?>(nil)

    init(_ decoding: FrameDecoding) { self.decoding = decoding }

    /// Whether the line may be an OpenStream: only those are answered before the next line is read.
    static func mayBe(_ line: ByteBuffer) -> Bool {
        line.readableBytes < 4096 && String(buffer: line).contains(Methods.openStream.name)
    }

    func open(_ request: OpenStreamRequest, on runtime: Runtime) async throws {
        let stream = try await runtime.openStream(request)
        opened.withLock { $0 = stream }
        decoding.begin()
    }

    var stream: (any PodStream)? { opened.withLock { $0 } }

    static let notFirst = CarpelError(
        .failedPrecondition, "connectionInUse",
        "OpenStream must be the only request of a connection; connect again and send it first")
}

/// Whether a connection's bytes are frames, no longer lines.
final class FrameDecoding: Sendable {
    private let flag = Atomic(false)

    var isOn: Bool { flag.load(ordering: .acquiring) }
    func begin() { flag.store(true, ordering: .releasing) }
}
