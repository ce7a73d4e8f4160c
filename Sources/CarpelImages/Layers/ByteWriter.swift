/// Little-endian fields, one after the other.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    mutating func pad(to count: Int) {
        if bytes.count < count { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }
    }

    mutating func align(to unit: Int) { pad(to: (bytes.count + unit - 1) / unit * unit) }
}
