/// Why bytes are not the CBOR that was expected. The bytes come from the other side and may be hostile:
/// every one of these is an answer, none is a trap.
public enum CBORError: Error, Equatable, Sendable {
    /// The bytes end inside an item, or an item claims more bytes or items than are left.
    case truncated
    /// Not well-formed (RFC 8949, section 5.3.1), not UTF-8, or a map with the same key twice.
    case malformed
    /// Bytes follow the item.
    case trailingBytes
    /// Deeper than `CBORDecoder.maximumDepth`.
    case tooDeep
}
