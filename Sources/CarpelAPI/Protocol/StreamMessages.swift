import CarpelCore

/// How a byte stream ended: one of the two.
public struct StreamStatus: Codable, Sendable, Equatable {
    /// Of Exec's command or Attach's container, or 128 + the signal; 0 for PortForward.
    public var exitCode: Int32?
    public var error: JSONRPC.ErrorObject?

    public init(exitCode: Int32) { self.exitCode = exitCode }
    public init(_ error: CarpelError) { self.error = JSONRPC.ErrorObject(error) }
}

/// The size of a terminal. Its members have Kubernetes' names.
public struct TerminalSize: Codable, Sendable, Equatable {
    /// Columns.
    public var width: UInt16
    /// Rows.
    public var height: UInt16

    private enum CodingKeys: String, CodingKey {
        case width = "Width"
        case height = "Height"
    }

    public init(width: UInt16, height: UInt16) {
        self.width = width
        self.height = height
    }
}

/// Something about the stream that its reader should know.
public struct StreamNotice: Codable, Sendable, Equatable {
    /// How many pieces of the container's output were dropped here, because the reader was too slow for them.
    public var missed: UInt64

    public init(missed: UInt64) { self.missed = missed }
}
