/// A piece of a byte stream, as it travels behind the answer to OpenStream, in both directions.
///
/// On the wire: the channel (1 byte), the length of the payload (4 bytes, big-endian), the payload.
///
/// | channel | client to daemon | daemon to client |
/// |---|---|---|
/// | 0 `data` | stdin; for PortForward what goes to the port | for PortForward what comes from the port |
/// | 1 `stdout` | - | Exec, Attach |
/// | 2 `stderr` | - | Exec, Attach; never with a terminal |
/// | 3 `status` | - | `StreamStatus` in JSON: the last frame of every stream |
/// | 4 `resize` | `TerminalSize` in JSON | - |
/// | 5 `notice` | - | `StreamNotice` in JSON, at the place in the output that it is about |
/// | 255 `close` | one byte, the channel that has ended: 0 | the same: the port has sent all it will |
///
/// The end of the client's side of the connection means the same as its `close`. A client that hangs up ends the
/// stream: Exec's process gets the end of its stdin and SIGHUP, and SIGKILL if it stays; Attach's container runs on.
/// Source of the numbers: Kubernetes' remotecommand protocol v5; `notice` is Carpel's own.
public struct StreamFrame: Equatable, Sendable {
    public enum Channel: UInt8, Sendable, CaseIterable {
        case data = 0
        case stdout
        case stderr
        case status
        case resize
        case notice
        case close = 255
    }

    /// Bytes of a payload.
    public static let maximumPayload = 32 << 10
    /// Bytes in front of the payload.
    public static let headerSize = 5

    public var channel: Channel
    /// At most `maximumPayload` bytes.
    public var payload: [UInt8]

    public init(_ channel: Channel, _ payload: [UInt8] = []) {
        self.channel = channel
        self.payload = payload
    }

    /// Nothing more comes on `channel`.
    public static func closing(_ channel: Channel) -> StreamFrame { StreamFrame(.close, [channel.rawValue]) }

    /// The frames that carry `bytes`, however many they are.
    public static func carrying(_ bytes: [UInt8], on channel: Channel) -> [StreamFrame] {
        guard bytes.count > maximumPayload else { return [StreamFrame(channel, bytes)] }
        return stride(from: 0, to: bytes.count, by: maximumPayload).map { start in
            StreamFrame(channel, Array(bytes[start..<min(start + maximumPayload, bytes.count)]))
        }
    }

    /// The channel and the length of the payload.
    public var header: [UInt8] {
        [channel.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: payload.count >> (24 - 8 * $0)) }
    }

    /// The frame as it travels.
    public var bytes: [UInt8] { header + payload }
}

/// Why bytes are no `StreamFrame`.
public enum StreamFrameError: Error, Equatable, Sendable {
    case unknownChannel(UInt8)
    case tooLong(Int)
}

/// Cuts the bytes of a connection into frames, however they arrive. Does no I/O.
///
/// It holds less than one frame beyond what was appended since the last `next()` that gave nil.
public struct StreamFrameDecoder: Sendable {
    private var buffer: [UInt8] = []
    /// The first byte that has not been used.
    private var start = 0
    private var failure: StreamFrameError?

    public init() {}

    public mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next frame, or nil until more bytes come.
    ///
    /// - Throws: `StreamFrameError` if the bytes are no frame, and from then on.
    public mutating func next() throws -> StreamFrame? {
        if let failure { throw failure }
        guard buffer.count - start >= StreamFrame.headerSize else { return compact() }
        guard let channel = StreamFrame.Channel(rawValue: buffer[start]) else {
            throw lost(.unknownChannel(buffer[start]))
        }
        let length = buffer[(start + 1)..<(start + StreamFrame.headerSize)].reduce(0) { $0 << 8 | Int($1) }
        guard length <= StreamFrame.maximumPayload else { throw lost(.tooLong(length)) }
        let first = start + StreamFrame.headerSize
        guard buffer.count - first >= length else { return compact() }
        start = first + length
        return StreamFrame(channel, Array(buffer[first..<start]))
    }

    /// Drops what has been used.
    private mutating func compact() -> StreamFrame? {
        buffer.removeFirst(start)
        start = 0
        return nil
    }

    private mutating func lost(_ error: StreamFrameError) -> StreamFrameError {
        failure = error
        buffer = []
        start = 0
        return error
    }
}
