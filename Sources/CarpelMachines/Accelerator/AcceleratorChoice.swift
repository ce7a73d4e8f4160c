/// What runs the guests' instructions.
public struct AcceleratorChoice: Hashable, Sendable, Codable, CustomStringConvertible {
    public enum Kind: String, Sendable, Codable {
        case kvm
        /// QEMU's own translator: every guest instruction in software, five to ten times slower.
        case tcg
    }

    public let kind: Kind
    /// A sentence: why it is this one.
    public let reason: String

    public init(kind: Kind, reason: String) {
        self.kind = kind
        self.reason = reason
    }

    public var description: String { "\(kind.rawValue): \(reason)" }
}
