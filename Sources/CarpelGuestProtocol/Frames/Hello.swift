/// Starts a session: the host sends one after connecting, the agent answers with the same nonce.
///
/// Nothing tells either side reliably where in the stream a connection was cut. The rest of a frame may never come,
/// bytes of an earlier session may still lie in the virtqueue, and when the host closes and opens the port quickly
/// the guest may not even notice. So a HELLO is found by its content:
///
/// - The agent looks for `magic` in everything it reads, also in the middle of a frame. Nobody who only chooses
///   what travels inside frames can bring it there: payloads are masked with the session's nonce, a frame's kind is
///   below 128, and every byte of `magic` is not.
/// - The host ignores what it reads until `magic` is followed by the nonce that it drew for this connection.
///   From there on it trusts the lengths.
public struct Hello: Equatable, Sendable {
    /// All at least 128; the first one occurs once, so that a failed match never has to look back.
    static let magic: [UInt8] = [0xF5] + "carpel-session.".utf8.map { $0 | 0x80 }
    public static let nonceSize = 16
    public static let currentVersion: UInt8 = 1
    /// What follows `magic`: version, nonce, a zero byte.
    static let bodySize = 1 + nonceSize + 1

    public var version: UInt8
    /// Random, drawn by the host for each connection.
    public var nonce: [UInt8]

    public init(nonce: [UInt8], version: UInt8 = Hello.currentVersion) {
        self.nonce = nonce
        self.version = version
    }

    public var bytes: [UInt8] { Self.magic + [version] + nonce + [0] }

    init?(body: ArraySlice<UInt8>) {
        guard body.count == Self.bodySize, let version = body.first, body.last == 0 else { return nil }
        self.init(nonce: Array(body.dropFirst().dropLast()), version: version)
    }
}
