import CarpelAPI

extension FuzzTarget {
    /// The bytes of an exec's, an attachment's or a forwarded port's connection, from a client that does as it likes.
    static let streamFrames = FuzzTarget(name: "stream-frames", maximumLength: 8192) {
        let frames =
            StreamFrame.Channel.allCases.map { StreamFrame($0, [1, 2, 3]) } + [
                StreamFrame(.resize, Array(#"{"Width":80,"Height":24}"#.utf8)), .closing(.data), StreamFrame(.data),
            ]
        let stream = frames.flatMap(\.bytes)
        return [[9] + stream, [255] + stream + [7], [0, 0, 0, 0, 0x80, 1], [3, 0, 255, 255, 255, 255]]
    } run: { bytes in
        var input = Input(bytes)
        let pieceLength = Int(input.byte()) + 1
        let inPieces = try decode(input.rest, pieceLength: pieceLength)
        let atOnce = try decode(input.rest, pieceLength: max(1, input.rest.count))
        try Finding.require(atOnce == inPieces, "frames depend on how the bytes arrive")
        // What is written is what was read.
        let again = atOnce.flatMap(\.bytes)
        try Finding.require(input.rest.starts(with: again), "frames are written as something else")
    }

    /// The frames in front of what is none.
    private static func decode(_ bytes: ArraySlice<UInt8>, pieceLength: Int) throws -> [StreamFrame] {
        var decoder = StreamFrameDecoder()
        var frames: [StreamFrame] = []
        var rest = bytes
        while !rest.isEmpty {
            decoder.append(rest.prefix(pieceLength))
            rest = rest.dropFirst(pieceLength)
            do {
                while let frame = try decoder.next() {
                    try Finding.require(frame.payload.count <= StreamFrame.maximumPayload, "a frame is too long")
                    frames.append(frame)
                }
            } catch is StreamFrameError {
                return frames
            }
        }
        return frames
    }
}
