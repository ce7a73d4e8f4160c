/// Finds the HELLO and then the frames in a stream of bytes that may be cut, stale or hostile. Does no I/O.
///
/// It holds at most the bytes of one frame beyond what was appended since the last `next()` that gave nil.
public struct FrameDecoder: Sendable {
    public enum Role: Sendable, Equatable {
        /// Takes any HELLO, at any time.
        case agent
        /// Takes the answer to its own HELLO, once.
        case host(nonce: [UInt8])
    }

    public enum Item: Equatable, Sendable {
        /// A new session: what belonged to an earlier one is over.
        case hello(Hello)
        case frame(Frame)
    }

    private enum State {
        case searching, hello, frames
    }

    private let role: Role
    private var state = State.searching
    private var buffer: [UInt8] = []
    /// The first byte that has not been used.
    private var start = 0
    /// The first byte that has not been compared with the magic.
    private var scanned = 0
    /// How much of the magic the bytes before `scanned` end with.
    private var matched = 0
    private var mask: [UInt8] = []

    public init(_ role: Role) { self.role = role }

    public mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next item, or nil until more bytes come.
    ///
    /// - Throws: `FrameError` if the bytes are no frame. The decoder then waits for the next HELLO.
    public mutating func next() throws -> Item? {
        while true {
            switch state {
            case .searching:
                guard scan(until: buffer.count) else {
                    start = scanned
                    return compact()
                }
            case .hello:
                if scan(until: min(buffer.count, start + Hello.bodySize)) { continue }
                guard buffer.count - start >= Hello.bodySize else { return compact() }
                if let hello = takeHello() { return .hello(hello) }
            case .frames:
                if role == .agent, scan(until: buffer.count) { continue }
                return try takeFrame() ?? compact()
            }
        }
    }

    /// Drops what has been used.
    private mutating func compact() -> Item? {
        buffer.removeFirst(start)
        scanned = max(0, scanned - start)
        start = 0
        return nil
    }

    /// Compares bytes with the magic; true, and in state `hello`, behind a match.
    private mutating func scan(until end: Int) -> Bool {
        let magic = Hello.magic
        while scanned < end {
            if matched == 0 {
                scanned = buffer[scanned..<end].firstIndex(of: magic[0]) ?? end
                guard scanned < end else { break }
            }
            let byte = buffer[scanned]
            scanned += 1
            if byte == magic[matched] {
                matched += 1
            } else {
                matched = byte == magic[0] ? 1 : 0
            }
            if matched == magic.count {
                matched = 0
                start = scanned
                state = .hello
                return true
            }
        }
        return false
    }

    private mutating func takeHello() -> Hello? {
        let end = start + Hello.bodySize
        state = .searching
        guard let hello = Hello(body: buffer[start..<end]) else { return nil }
        if case .host(let nonce) = role, nonce != hello.nonce { return nil }
        if role == .agent { mask = hello.nonce }
        start = end
        matched = 0
        state = .frames
        return hello
    }

    private mutating func takeFrame() throws -> Item? {
        // What may be the beginning of a HELLO is not part of a frame until it has turned out not to be one.
        // No frame waits for that: the last byte of a whole one is zero.
        let available = (role == .agent ? scanned - matched : buffer.count) - start
        guard available >= Frame.headerSize else { return nil }
        let length = Int(buffer[start + 2]) | Int(buffer[start + 3]) << 8
        guard let kind = Frame.Kind(rawValue: buffer[start]) else { throw lost(.unknownKind(buffer[start])) }
        guard length <= Frame.maximumPayload else { throw lost(.tooLong(length)) }
        let end = start + Frame.headerSize + length
        guard available > Frame.headerSize + length else { return nil }
        guard buffer[end] == 0 else { throw lost(.missingTrailer) }

        let stream = buffer[(start + 4)..<(start + 8)].reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        var payload = Array(buffer[(end - length)..<end])
        apply(mask, to: &payload, from: 0)
        let frame = Frame(kind, stream: stream, detail: buffer[start + 1], payload: payload)
        start = end + 1
        return .frame(frame)
    }

    private mutating func lost(_ error: FrameError) -> FrameError {
        state = .searching
        return error
    }
}
