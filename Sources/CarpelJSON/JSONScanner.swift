/// Reads a JSON text without making values of it: where they are, and whether it is JSON at all.
///
/// The plugins' host hands texts on and knows no more of them; Foundation would be a third of its memory. The socket
/// trusts nobody else's reading of a stranger's text. Source: RFC 8259.
package struct JSONScanner {
    package struct Malformed: Error {
        package init() {}
    }

    /// Why two readers of a text could read it differently.
    package enum Defect: Error, Equatable {
        case notUTF8
        case malformed(offset: Int)
        /// A member's name that stands twice in one object.
        case memberTwice(String)
        /// Half of a pair of UTF-16, which is no character.
        case loneSurrogate
        case nestedTooDeep
    }

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int
    private let isStrict: Bool
    /// The most nested arrays and objects.
    private let depth: Int

    private init(_ bytes: [UInt8], in range: Range<Int>, strictly isStrict: Bool = false, depth: Int = 64) {
        self.bytes = bytes
        self.isStrict = isStrict
        self.depth = depth
        position = range.lowerBound
        end = range.upperBound
    }

    /// Refuses what is not one JSON text, or not one that every reader reads alike. Source: RFC 7493, section 2.
    package static func check(_ bytes: [UInt8], depth: Int) throws(Defect) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .notUTF8 }
        var scanner = JSONScanner(bytes, in: bytes.indices, strictly: true, depth: depth)
        do {
            scanner.skipSpace()
            try scanner.skipValue(depth: 0)
            scanner.skipSpace()
            guard scanner.position == scanner.end else { throw Malformed() }
        } catch let defect as Defect {
            throw defect
        } catch {
            throw .malformed(offset: scanner.position)
        }
    }

    /// Whether `bytes` is one JSON object and nothing else.
    package static func isObject(_ bytes: [UInt8]) -> Bool {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { return false }
        var scanner = JSONScanner(bytes, in: bytes.indices)
        return (try? scanner.readMembers { _, _ in }) != nil
    }

    /// The members of the object in `range`.
    package static func members(of bytes: [UInt8], in range: Range<Int>) throws -> [String: Range<Int>] {
        var scanner = JSONScanner(bytes, in: range)
        var members: [String: Range<Int>] = [:]
        try scanner.readMembers { name, value in members[try string(of: bytes, in: name)] = value }
        return members
    }

    /// The elements of the array in `range`.
    package static func elements(of bytes: [UInt8], in range: Range<Int>) throws -> [Range<Int>] {
        var scanner = JSONScanner(bytes, in: range)
        var elements: [Range<Int>] = []
        try scanner.readList(UInt8(ascii: "["), UInt8(ascii: "]")) { scanner in
            elements.append(try scanner.skipValue(depth: 1))
        }
        return elements
    }

    package static func integer<Integer: FixedWidthInteger>(
        of bytes: [UInt8], in range: Range<Int>, as type: Integer.Type = Integer.self
    ) throws -> Integer {
        guard let value = Integer(String(decoding: bytes[range], as: UTF8.self)) else { throw Malformed() }
        return value
    }

    /// The string in `range`, quotation marks included.
    package static func string(of bytes: [UInt8], in range: Range<Int>) throws -> String {
        guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "\"") else { throw Malformed() }
        let content = bytes[range.lowerBound + 1..<range.upperBound - 1]
        guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
        return try unescaped(content)
    }
}

extension JSONScanner {
    private var peek: UInt8? { position < end ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C {
            position += 1
        }
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard peek == byte else { throw Malformed() }
        position += 1
    }

    private mutating func readMembers(_ member: (_ name: Range<Int>, _ value: Range<Int>) throws -> Void) throws {
        try readList(UInt8(ascii: "{"), UInt8(ascii: "}")) { scanner in
            let (name, value) = try scanner.readMember(depth: 1)
            try member(name, value)
        }
    }

    /// What stands between `first` and `last` and is separated by commas, and nothing after it.
    private mutating func readList(
        _ first: UInt8, _ last: UInt8, _ element: (inout JSONScanner) throws -> Void
    ) throws {
        skipSpace()
        try skipList(first, last, element)
        skipSpace()
        guard position == end else { throw Malformed() }
    }

    private mutating func skipList(
        _ first: UInt8, _ last: UInt8, _ element: (inout JSONScanner) throws -> Void
    ) throws {
        try expect(first)
        skipSpace()
        guard peek != last else { return position += 1 }
        while true {
            skipSpace()
            try element(&self)
            skipSpace()
            guard peek != last else { return position += 1 }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func readMember(depth: Int) throws -> (name: Range<Int>, value: Range<Int>) {
        let start = position
        try skipString()
        let name = start..<position
        skipSpace()
        try expect(UInt8(ascii: ":"))
        skipSpace()
        return (name, try skipValue(depth: depth))
    }

    /// - Returns: where the value was.
    @discardableResult
    private mutating func skipValue(depth: Int) throws -> Range<Int> {
        let start = position
        switch peek {
        case UInt8(ascii: "{"):
            try checkDepth(depth)
            var names: Set<String> = []
            try skipList(UInt8(ascii: "{"), UInt8(ascii: "}")) { scanner in
                let name = try scanner.readMember(depth: depth + 1).name
                if scanner.isStrict { try scanner.checkFirst(name, of: &names) }
            }
        case UInt8(ascii: "["):
            try checkDepth(depth)
            try skipList(UInt8(ascii: "["), UInt8(ascii: "]")) { try $0.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        default: try skipNumber()
        }
        return start..<position
    }

    private func checkDepth(_ depth: Int) throws {
        guard depth >= self.depth else { return }
        if isStrict { throw Defect.nestedTooDeep }
        throw Malformed()
    }

    private func checkFirst(_ name: Range<Int>, of names: inout Set<String>) throws {
        let name = try Self.string(of: bytes, in: name)
        guard names.insert(name).inserted else { throw Defect.memberTwice(name) }
    }

    private mutating func skipWord(_ word: StaticString) throws {
        for offset in 0..<word.utf8CodeUnitCount { try expect(word.utf8Start[offset]) }
    }

    private mutating func skipNumber() throws {
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if peek == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        guard peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") else { return }
        position += 1
        if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
        try skipDigits()
    }

    private mutating func skipDigits() throws {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw Malformed() }
    }

    private mutating func skipString() throws {
        try expect(UInt8(ascii: "\""))
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try skipEscape()
            case 0..<0x20: throw Malformed()
            default: break
            }
        }
        throw Malformed()
    }

    private mutating func skipEscape() throws {
        guard let kind = peek else { throw Malformed() }
        position += 1
        if kind == UInt8(ascii: "u") {
            try skipCodeUnits()
        } else if Self.escapes[kind] == nil {
            throw Malformed()
        }
    }

    /// The four digits after `\u`, and those of the pair's second half.
    private mutating func skipCodeUnits() throws {
        let unit = try codeUnit()
        guard isStrict, UTF16.isSurrogate(unit) else { return }
        guard UTF16.isLeadSurrogate(unit), peek == UInt8(ascii: "\\") else { throw Defect.loneSurrogate }
        position += 1
        guard peek == UInt8(ascii: "u") else { throw Defect.loneSurrogate }
        position += 1
        guard UTF16.isTrailSurrogate(try codeUnit()) else { throw Defect.loneSurrogate }
    }

    private mutating func codeUnit() throws -> UInt16 {
        defer { position += 4 }
        return try Self.hexadecimal(bytes[min(position, end)..<min(position + 4, end)])
    }
}

extension JSONScanner {
    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F, UInt8(ascii: "b"): 0x08,
        UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
    ]

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) throws -> UInt16 {
        let text = String(decoding: digits, as: UTF8.self)
        // UInt16 takes a sign, JSON does not.
        guard digits.count == 4, text.allSatisfy(\.isHexDigit), let unit = UInt16(text, radix: 16) else {
            throw Malformed()
        }
        return unit
    }

    /// Through UTF-16, in which JSON writes what is beyond the first 65536 characters.
    private static func unescaped(_ content: ArraySlice<UInt8>) throws -> String {
        var text = ""
        var units: [UInt16] = []
        var rest = content
        while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
            if backslash > rest.startIndex {
                text += String(decoding: units, as: UTF16.self) + String(decoding: rest[..<backslash], as: UTF8.self)
                units = []
            }
            rest = rest[(backslash + 1)...]
            guard let kind = rest.popFirst() else { throw Malformed() }
            if let byte = escapes[kind] {
                units.append(UInt16(byte))
            } else {
                units.append(try hexadecimal(rest.prefix(4)))
                rest = rest.dropFirst(4)
            }
        }
        return text + String(decoding: units, as: UTF16.self) + String(decoding: rest, as: UTF8.self)
    }

    /// `text` as a JSON string.
    package static func quoted(_ text: String) -> [UInt8] {
        var quoted = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: quoted += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: quoted.append(byte)
            }
        }
        return quoted + [UInt8(ascii: "\"")]
    }
}
