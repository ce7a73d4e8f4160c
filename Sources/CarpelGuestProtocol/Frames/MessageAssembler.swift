/// Joins the frames of a message.
public struct MessageAssembler: Sendable {
    /// What the host may ask for: a container's environment is its largest part (a process's arguments and
    /// environment together have 2 MiB, execve(2)).
    public static let maximumRequest = 4 << 20
    /// What an agent may answer: its state is its largest part.
    public static let maximumResponse = 1 << 20
    /// What an agent may tell unasked. The host keeps thousands of events for a reader that is busy.
    public static let maximumEvent = 8 << 10

    private let limit: Int
    private var bytes: [UInt8] = []

    public init(limit: Int) { self.limit = limit }

    /// The whole message if `frame` is its last.
    /// - Throws: `FrameError.messageTooLong`.
    public mutating func append(_ frame: Frame) throws -> [UInt8]? {
        guard frame.payload.count <= limit - bytes.count else { throw FrameError.messageTooLong }
        if frame.detail == Frame.Detail.last, bytes.isEmpty { return frame.payload }
        bytes.append(contentsOf: frame.payload)
        guard frame.detail == Frame.Detail.last else { return nil }
        defer { bytes = [] }
        return bytes
    }
}
