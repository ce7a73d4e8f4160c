import CarpelAPI
import Synchronization

/// A list that is given away in parts, none of which is much longer than others that share the socket would wait for.
final class PartedList<Element: ProtoMessage>: Sendable {
    /// Bytes of JSON, which only a single larger element exceeds.
    static var maximumPartLength: Int { 256 << 10 }

    private let rest: Mutex<ArraySlice<Element>>

    init(_ list: [Element]) { rest = Mutex(list[...]) }

    /// The next elements; nil behind the last.
    func next() throws -> [Element]? {
        try rest.withLock { rest in
            var part: [Element] = []
            var length = 0
            while let element = rest.first {
                length += try JSONRPC.encode(element).count + 1
                guard part.isEmpty || length <= Self.maximumPartLength else { break }
                part.append(element)
                rest.removeFirst()
            }
            return part.isEmpty ? nil : part
        }
    }
}
