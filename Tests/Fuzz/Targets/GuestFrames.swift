@testable import CarpelGuestProtocol

extension FuzzTarget {
    /// The bytes of the machine's channel, to the host and to the agent.
    static let guestFrames = FuzzTarget(name: "guest-frames", maximumLength: 8192) {
        var stream = Hello(nonce: nonce).bytes
        let frames =
            Frame.message(.response, stream: 1, [UInt8](repeating: 7, count: 300)) + [
                Frame(.data, stream: 1, detail: 2, payload: [1, 2, 3]), .credit(1 << 16, stream: 1),
                Frame(.event, stream: 0, detail: Frame.Detail.more, payload: [4]), Frame(.end, stream: 1),
                Frame(.reset, stream: 2),
            ]
        for frame in frames { FrameEncoder().encode(frame, into: &stream) }
        return [[0, 9] + stream, [1, 9] + stream, [0, 255] + stream + stream, [1, 1] + stream + stream]
    } run: { bytes in
        var input = Input(bytes)
        let role = input.byte() & 1 == 0 ? FrameDecoder.Role.host(nonce: nonce) : .agent
        let pieceLength = Int(input.byte()) + 1
        let inPieces = try decode(input.rest, role, pieceLength: pieceLength)
        // An agent drops what lies in front of a later HELLO, so that it matters to it what it has seen.
        guard role != .agent else { return }
        let atOnce = try decode(input.rest, role, pieceLength: max(1, input.rest.count))
        try Finding.require(atOnce == inPieces, "frames depend on how the bytes arrive")
    }

    static let nonce = [UInt8](repeating: 7, count: Hello.nonceSize)

    private static let messageLimit = 256

    /// The items until the first that breaks a rule, as a connection sees them.
    private static func decode(
        _ bytes: ArraySlice<UInt8>, _ role: FrameDecoder.Role, pieceLength: Int
    ) throws -> [FrameDecoder.Item] {
        var decoder = FrameDecoder(role)
        var assembler = MessageAssembler(limit: messageLimit)
        var items: [FrameDecoder.Item] = []
        var rest = bytes
        while !rest.isEmpty {
            decoder.append(rest.prefix(pieceLength))
            rest = rest.dropFirst(pieceLength)
            do {
                while let item = try decoder.next() {
                    items.append(item)
                    guard case .frame(let frame) = item else { continue }
                    try check(frame)
                    let message = try assembler.append(frame)
                    try Finding.require((message?.count ?? 0) <= messageLimit, "a message is too long")
                }
            } catch is FrameError {
                return items
            }
        }
        return items
    }

    private static func check(_ frame: Frame) throws {
        try Finding.require(frame.payload.count <= Frame.maximumPayload, "a frame is too long")
        try Finding.require(
            (0...Int(UInt32.max)).contains(frame.grantedCredit ?? 0), "a frame grants what it cannot say")
        var bytes = Hello(nonce: nonce).bytes
        FrameEncoder().encode(frame, into: &bytes)
        var decoder = FrameDecoder(.host(nonce: nonce))
        decoder.append(bytes)
        _ = try decoder.next()
        try Finding.require(try decoder.next() == .frame(frame), "what is written is read as something else")
    }
}
