/// How much data the other side lets us send on a stream.
public struct SendCredit: Equatable, Sendable {
    /// More is never granted by an honest side, and could overflow.
    static let maximum = 1 << 30

    public private(set) var available = Frame.initialCredit

    public init() {}

    public mutating func spend(_ bytes: Int) { available -= bytes }

    public mutating func grant(_ bytes: Int) throws {
        guard bytes <= Self.maximum - available else { throw FrameError.creditExceeded }
        available += bytes
    }
}

/// How much data we let the other side send on a stream.
public struct ReceiveCredit: Equatable, Sendable {
    private var outstanding = Frame.initialCredit
    private var consumed = 0

    public init() {}

    /// - Throws: `FrameError.creditExceeded` if the other side sent what it was not allowed to.
    public mutating func receive(_ bytes: Int) throws {
        guard bytes <= outstanding else { throw FrameError.creditExceeded }
        outstanding -= bytes
    }

    /// Notes that `bytes` of what was received have gone on their way.
    /// - Returns: The credit to grant now; nil while it is not worth a frame.
    public mutating func consume(_ bytes: Int) -> Int? {
        consumed += bytes
        guard consumed >= Frame.initialCredit / 4 else { return nil }
        defer { consumed = 0 }
        outstanding += consumed
        return consumed
    }
}
