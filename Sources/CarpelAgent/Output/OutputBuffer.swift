import CarpelGuestProtocol

/// A container's output that the host has not stored yet, within a bound.
struct OutputBuffer {
    static let limit = 1 << 20

    private var records: [OutputRecord] = []
    /// The first record that is kept.
    private var head = 0
    private var size = 0
    private(set) var next: UInt64 = 0
    /// Bytes of all records, those that are forgotten included.
    private var written: UInt64 = 0

    /// The sequence number of the oldest record that is kept, `next` if none is.
    var first: UInt64 { next - UInt64(records.count - head) }

    /// How many bytes a record may have without something having to go.
    var room: Int { max(0, Self.limit - size - OutputRecord.overhead) }

    /// Appends a record; the oldest ones go if there is no room.
    mutating func append(_ channel: OutputRecord.Channel, _ bytes: ArraySlice<UInt8>, at time: UInt64) {
        while bytes.count > room, head < records.count { dropFirst() }
        let record = OutputRecord(sequence: next, channel: channel, time: time, bytes: Array(bytes), offset: written)
        records.append(record)
        written += UInt64(bytes.count)
        size += record.cost
        next += 1
    }

    /// Forgets the records below `sequence`.
    mutating func release(before sequence: UInt64) {
        while first < sequence, head < records.count { dropFirst() }
    }

    /// The first record at or behind `sequence`.
    func record(from sequence: UInt64) -> OutputRecord? {
        let index = head + Int(clamping: sequence > first ? sequence - first : 0)
        return sequence < next && index < records.count ? records[index] : nil
    }

    private mutating func dropFirst() {
        size -= records[head].cost
        records[head].bytes = []
        head += 1
        if head == records.count {
            records.removeAll(keepingCapacity: false)
            head = 0
        } else if head > 512, head > records.count / 2 {
            records.removeFirst(head)
            head = 0
        }
    }
}
