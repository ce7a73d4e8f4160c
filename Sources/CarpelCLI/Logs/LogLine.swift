/// One line of a container's log file.
/// Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
struct LogLine: Equatable {
    enum Stream: String {
        case stdout, stderr
    }

    /// RFC 3339 with nanoseconds, as the file has it.
    let timestamp: String
    let stream: Stream
    /// True if the container's line goes on in the next one.
    let isPartial: Bool
    /// Need not be UTF-8.
    let content: ArraySlice<UInt8>

    /// Reads `TIMESTAMP STREAM TAG CONTENT`; nil if it is something else.
    init?(_ line: ArraySlice<UInt8>) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, let stream = Stream(rawValue: String(decoding: parts[1], as: UTF8.self)) else {
            return nil
        }
        let tag = parts[2].split(separator: UInt8(ascii: ":")).first ?? []
        guard tag == [UInt8(ascii: "F")] || tag == [UInt8(ascii: "P")] else { return nil }
        timestamp = String(decoding: parts[0], as: UTF8.self)
        self.stream = stream
        isPartial = tag == [UInt8(ascii: "P")]
        content = parts.count > 3 ? parts[3] : []
    }
}
