import CarpelCore
import Crypto

/// A content digest, `sha256:` and 64 lowercase hexadecimal digits.
///
/// Source: OCI image spec, descriptor.md, "Digests". Carpel stores sha256 alone: registries use nothing else.
public struct Digest: Hashable, Sendable, Codable, CustomStringConvertible {
    public let hex: String

    /// - Throws: `.invalidArgument`/`invalidDigest`; `.unimplemented`/`unsupportedDigest` for another algorithm.
    public init(_ text: some StringProtocol) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Self.invalid(text) }
        guard parts[0] == "sha256" else {
            guard parts[0] == "sha384" || parts[0] == "sha512" else { throw Self.invalid(text) }
            throw CarpelError(
                .unimplemented, "unsupportedDigest", "\(text): only sha256 digests are supported; republish the image")
        }
        guard let digest = Digest(hex: parts[1]) else { throw Self.invalid(text) }
        self = digest
    }

    init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(\.isLowercaseHexDigit) else { return nil }
        self.hex = String(hex)
    }

    init(_ digest: SHA256.Digest) {
        hex = digest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    /// The digest of `bytes`.
    init(of bytes: some Sequence<UInt8>) {
        self.init(SHA256.hash(data: Array(bytes)))
    }

    public var description: String { "sha256:\(hex)" }

    public init(from decoder: any Decoder) throws {
        self = try Digest(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    private static func invalid(_ text: some StringProtocol) -> CarpelError {
        CarpelError(
            .invalidArgument, "invalidDigest", "\"\(text)\" is not a digest: write sha256: and 64 lowercase hex digits")
    }
}

extension UInt8 {
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isLowercase: Bool { self >= 0x61 && self <= 0x7A }
    var isUppercase: Bool { self >= 0x41 && self <= 0x5A }
    var isLowercaseHexDigit: Bool { isDigit || (self >= 0x61 && self <= 0x66) }
}
