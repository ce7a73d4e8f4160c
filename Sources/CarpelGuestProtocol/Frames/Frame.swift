/// One piece of the conversation between host and agent.
///
/// On the wire, numbers little-endian: kind (1 byte), detail (1), length of the payload (2), stream (4), payload,
/// and a zero byte. What the host sends has its payload masked (`FrameEncoder`).
///
/// A stream is opened by the host with a request, under a number that it has not used in this session.
/// The answer comes back on the stream; what else travels on it depends on the request:
///
/// | request | host sends | agent sends |
/// |---|---|---|
/// | `exec` | data (stdin), end, credit | response `started`, data, response `exited`, end |
/// | `followOutput` | credit | response `done`, data (an `OutputRecord` each), end |
/// | `attachInput` | data (stdin), end | response `done`, credit |
/// | `connect` | data, end, credit | response `done`, data, response `done` (the port has sent all) or `failed`, end |
/// | any other | - | response, end |
///
/// Reset from either side gives the stream up. Data needs credit; nothing else does.
public struct Frame: Equatable, Sendable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// A `GuestRequest`, in one frame or several (`Detail.more`).
        case request = 1
        case response
        /// A `GuestEvent`, on stream 0.
        case event
        case data
        /// Four bytes: how many more bytes of data the other side may send.
        case credit
        /// The sender has nothing more for this stream.
        case end
        case reset
    }

    /// What `detail` says of a message's frame.
    public enum Detail {
        /// The message ends with this frame.
        public static let last: UInt8 = 0
        /// The message goes on with the next frame of this kind on this stream.
        public static let more: UInt8 = 1
    }

    public static let maximumPayload = 32 << 10
    /// The credit that each side of a new stream has.
    public static let initialCredit = 128 << 10
    static let headerSize = 8

    public var kind: Kind
    /// `Detail` for messages, the channel for data.
    public var detail: UInt8
    public var stream: UInt32
    /// At most `maximumPayload` bytes.
    public var payload: [UInt8]

    public init(_ kind: Kind, stream: UInt32, detail: UInt8 = 0, payload: [UInt8] = []) {
        self.kind = kind
        self.detail = detail
        self.stream = stream
        self.payload = payload
    }

    public static func credit(_ bytes: Int, stream: UInt32) -> Frame {
        let value = UInt32(clamping: bytes)
        return Frame(.credit, stream: stream, payload: (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }

    /// The bytes that a credit frame grants; nil if it is not a credit frame.
    public var grantedCredit: Int? {
        guard kind == .credit, payload.count == 4 else { return nil }
        return payload.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The frames of a message that may be longer than one of them holds.
    public static func message(_ kind: Kind, stream: UInt32, _ message: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var start = 0
        repeat {
            let end = min(start + maximumPayload, message.count)
            let detail = end == message.count ? Detail.last : Detail.more
            frames.append(Frame(kind, stream: stream, detail: detail, payload: Array(message[start..<end])))
            start = end
        } while start < message.count
        return frames
    }
}

/// Why a stream of bytes is not one of frames.
public enum FrameError: Error, Equatable, Sendable {
    case unknownKind(UInt8)
    case tooLong(Int)
    case missingTrailer
    case messageTooLong
    case creditExceeded
}
