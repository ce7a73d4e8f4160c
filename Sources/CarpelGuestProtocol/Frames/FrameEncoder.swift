/// Writes frames.
public struct FrameEncoder: Sendable {
    private let mask: [UInt8]

    /// - Parameter mask: The session's nonce on the host, nothing on the agent.
    ///   A payload that somebody else chose (a process's stdin, say) is thereby unpredictable on the wire.
    public init(mask: [UInt8] = []) { self.mask = mask }

    public func encode(_ frame: Frame, into bytes: inout [UInt8]) {
        precondition(frame.payload.count <= Frame.maximumPayload, "the sender cuts what it sends")
        bytes.reserveCapacity(bytes.count + Frame.headerSize + frame.payload.count + 1)
        bytes.append(frame.kind.rawValue)
        bytes.append(frame.detail)
        bytes.append(UInt8(truncatingIfNeeded: frame.payload.count))
        bytes.append(UInt8(truncatingIfNeeded: frame.payload.count >> 8))
        for index in 0..<4 as Range<UInt32> { bytes.append(UInt8(truncatingIfNeeded: frame.stream >> (8 * index))) }
        let start = bytes.count
        bytes.append(contentsOf: frame.payload)
        apply(mask, to: &bytes, from: start)
        bytes.append(0)
    }
}

/// Masks, or unmasks, everything from `start` on.
func apply(_ mask: [UInt8], to bytes: inout [UInt8], from start: Int) {
    guard !mask.isEmpty else { return }
    bytes.withUnsafeMutableBytes { bytes in
        let block = SIMD16<UInt8>(mask)
        var index = start
        while index + Hello.nonceSize <= bytes.count {
            let masked = bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self) ^ block
            bytes.storeBytes(of: masked, toByteOffset: index, as: SIMD16<UInt8>.self)
            index += Hello.nonceSize
        }
        for (key, index) in (index..<bytes.count).enumerated() { bytes[index] ^= mask[key] }
    }
}
