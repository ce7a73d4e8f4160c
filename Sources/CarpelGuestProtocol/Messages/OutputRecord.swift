/// Something that a container wrote.
public struct OutputRecord: Codable, Sendable, Equatable {
    public enum Channel: UInt8, Codable, Sendable { case stdout = 1, stderr = 2 }
    /// Counts up by one from 0; a gap says that the agent's buffer overflowed while the host was away.
    public var sequence: UInt64
    public var channel: Channel
    /// When the agent read it: nanoseconds since 1970.
    public var time: UInt64
    public var bytes: [UInt8]
    /// How many bytes the container has written before these, on both channels.
    public var offset: UInt64?
    /// What it takes of the agent's buffer until the host has released it: its bytes, and 64 more, so that many short
    /// records do not exceed the buffer's bound.
    public var cost: Int { bytes.count + Self.overhead }
    public static let overhead = 64

    public init(sequence: UInt64, channel: Channel, time: UInt64, bytes: [UInt8], offset: UInt64? = nil) {
        self.sequence = sequence
        self.channel = channel
        self.time = time
        self.bytes = bytes
        self.offset = offset
    }
}
