/// Reads CBOR items at positions in bytes that may be hostile.
///
/// A length is compared with the bytes that are left before anything is done with it: an item needs at least
/// one byte, so that no count beyond the rest of the bytes is ever believed.
struct CBORReader {
    let bytes: [UInt8]

    /// The head at `index`, which moves behind it.
    func head(_ index: inout Int) throws -> CBORHead {
        guard index < bytes.count else { throw CBORError.truncated }
        let first = bytes[index]
        guard let major = CBORHead.Major(rawValue: first >> 5) else { throw CBORError.malformed }
        index += 1
        let information = first & 31
        switch information {
        case ..<24:
            return CBORHead(major: major, information: information, argument: UInt64(information))
        case 24...27:
            let width = 1 << Int(information - 24)
            guard bytes.count - index >= width else { throw CBORError.truncated }
            var argument: UInt64 = 0
            for _ in 0..<width {
                argument = argument << 8 | UInt64(bytes[index])
                index += 1
            }
            return CBORHead(major: major, information: information, argument: argument)
        case CBORHead.indefinite:
            return CBORHead(major: major, information: information, argument: 0)
        default:
            throw CBORError.malformed
        }
    }

    /// The end of the well-formed item at `index`.
    func end(of index: Int, depth: Int) throws -> Int {
        guard depth > 0 else { throw CBORError.tooDeep }
        var index = index
        let head = try head(&index)
        switch head.major {
        case .unsigned, .negative:
            guard !head.isIndefinite else { throw CBORError.malformed }
        case .bytes, .text:
            return head.isIndefinite ? try endOfChunks(index, head.major) : try advance(index, by: head.argument)
        case .array:
            return try endOfItems(index, head, itemsEach: 1, depth: depth)
        case .map:
            return try endOfItems(index, head, itemsEach: 2, depth: depth)
        case .tag:
            guard !head.isIndefinite else { throw CBORError.malformed }
            return try end(of: index, depth: depth - 1)
        case .simple:
            // A stop code is legal only where a container looks for it; two-byte simple values start at 32.
            guard !head.isIndefinite, head.information != 24 || head.argument >= 32 else { throw CBORError.malformed }
        }
        return index
    }

    /// `index` plus a length that somebody else claims.
    func advance(_ index: Int, by length: UInt64) throws -> Int {
        guard length <= UInt64(bytes.count - index) else { throw CBORError.truncated }
        return index + Int(length)
    }

    func isStop(_ index: Int) throws -> Bool {
        guard index < bytes.count else { throw CBORError.truncated }
        return bytes[index] == CBORHead.stop
    }

    private func endOfChunks(_ index: Int, _ major: CBORHead.Major) throws -> Int {
        var index = index
        while try !isStop(index) {
            let chunk = try head(&index)
            guard chunk.major == major, !chunk.isIndefinite else { throw CBORError.malformed }
            index = try advance(index, by: chunk.argument)
        }
        return index + 1
    }

    private func endOfItems(_ index: Int, _ head: CBORHead, itemsEach: UInt64, depth: Int) throws -> Int {
        var index = index
        if head.isIndefinite {
            while try !isStop(index) {
                for _ in 0..<itemsEach { index = try end(of: index, depth: depth - 1) }
            }
            return index + 1
        }
        guard head.argument <= UInt64(bytes.count - index) / itemsEach else { throw CBORError.truncated }
        for _ in 0..<(head.argument * itemsEach) { index = try end(of: index, depth: depth - 1) }
        return index
    }
}

/// Reading what `end(of:depth:)` has found well-formed.
extension CBORReader {
    /// `index` behind the tags in front of an item. Tags carry no meaning here.
    func skipTags(_ index: Int) throws -> Int {
        var index = index
        while index < bytes.count, bytes[index] >> 5 == CBORHead.Major.tag.rawValue { _ = try head(&index) }
        return index
    }

    /// The content of a byte or text string, its chunks joined.
    func string(_ major: CBORHead.Major, _ start: Int) throws -> [UInt8] {
        var index = try skipTags(start)
        let head = try head(&index)
        guard head.major == major else { throw CBORError.malformed }
        guard head.isIndefinite else { return Array(bytes[index..<(try advance(index, by: head.argument))]) }
        var joined: [UInt8] = []
        while try !isStop(index) {
            let chunk = try self.head(&index)
            let end = try advance(index, by: chunk.argument)
            joined.append(contentsOf: bytes[index..<end])
            index = end
        }
        return joined
    }

    func text(_ start: Int) throws -> String {
        guard let text = String(validating: try string(.text, start), as: UTF8.self) else { throw CBORError.malformed }
        return text
    }

    /// The positions of an array's items; nil if the item is not an array.
    func items(_ start: Int) throws -> [Int]? { try positions(start, .array) }

    /// The positions of a map's values by their text keys; nil if the item is not a map.
    /// Entries with other keys are not for us.
    func entries(_ start: Int) throws -> [String: Int]? {
        guard let positions = try positions(start, .map) else { return nil }
        var entries: [String: Int] = [:]
        for index in stride(from: 0, to: positions.count - 1, by: 2) {
            var key = try skipTags(positions[index])
            guard try head(&key).major == .text else { continue }
            let name = try text(positions[index])
            guard entries.updateValue(positions[index + 1], forKey: name) == nil else { throw CBORError.malformed }
        }
        return entries
    }

    private func positions(_ start: Int, _ major: CBORHead.Major) throws -> [Int]? {
        var index = try skipTags(start)
        let head = try head(&index)
        guard head.major == major else { return nil }
        var positions: [Int] = []
        var left = head.argument
        while true {
            if head.isIndefinite {
                if try isStop(index) { return positions }
            } else {
                if left == 0 { return positions }
                left -= 1
            }
            for _ in 0..<(major == .map ? 2 : 1) {
                positions.append(index)
                index = try end(of: index, depth: CBORDecoder.maximumDepth)
            }
        }
    }
}
