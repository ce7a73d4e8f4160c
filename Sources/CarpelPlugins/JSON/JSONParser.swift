import Foundation

/// Reads a JSON text as RFC 8259 defines it; beyond it, a member that stands twice is an error.
struct JSONParser {
    private static let mostDepth = 64
    private static let numberMarks = Set("+-.eE0123456789".utf8)

    private let text: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: [UInt8]) throws {
        self.text = text
        guard String(validating: text, as: UTF8.self) != nil else { throw failure("the text is not UTF-8") }
    }

    mutating func document() throws -> JSONNode {
        skipSpace()
        let node = try value(depth: 0)
        skipSpace()
        guard peek == nil else { throw failure("nothing may follow the value, but \(found) does") }
        return node
    }

    private mutating func value(depth: Int) throws -> JSONNode {
        guard depth < Self.mostDepth else { throw failure("more than \(Self.mostDepth) levels") }
        let line = line
        switch peek {
        case UInt8(ascii: "{"): return JSONNode(.object(try members(depth: depth)), line: line)
        case UInt8(ascii: "["): return JSONNode(.array(try elements(depth: depth)), line: line)
        case UInt8(ascii: "\""): return JSONNode(.string(try string()), line: line)
        case UInt8(ascii: "t"): return JSONNode(try word("true", .bool(true)), line: line)
        case UInt8(ascii: "f"): return JSONNode(try word("false", .bool(false)), line: line)
        case UInt8(ascii: "n"): return JSONNode(try word("null", .null), line: line)
        case let byte? where Self.numberMarks.contains(byte): return JSONNode(try number(), line: line)
        default: throw failure("expected a value, found \(found)")
        }
    }

    private mutating func members(depth: Int) throws -> [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        var lines: [String: Int] = [:]
        try list(end: UInt8(ascii: "}")) { parser in
            let line = parser.line
            guard parser.peek == UInt8(ascii: "\"") else {
                throw parser.failure("expected a member's name in quotation marks, found \(parser.found)")
            }
            let name = try parser.string()
            if let first = lines.updateValue(line, forKey: name) {
                throw JSONSyntaxError(
                    line: line, column: 1, problem: "the member \"\(name)\" stands twice, first in line \(first)")
            }
            parser.skipSpace()
            try parser.expect(UInt8(ascii: ":"))
            parser.skipSpace()
            members.append(JSONNode.Member(name: name, line: line, value: try parser.value(depth: depth + 1)))
        }
        return members
    }

    private mutating func elements(depth: Int) throws -> [JSONNode] {
        var elements: [JSONNode] = []
        try list(end: UInt8(ascii: "]")) { elements.append(try $0.value(depth: depth + 1)) }
        return elements
    }

    private mutating func list(end: UInt8, _ element: (inout JSONParser) throws -> Void) throws {
        position += 1
        skipSpace()
        guard peek != end else { return position += 1 }
        while true {
            try element(&self)
            skipSpace()
            guard peek != end else { return position += 1 }
            guard peek == UInt8(ascii: ",") else {
                throw failure("expected \",\" or \"\(Character(UnicodeScalar(end)))\", found \(found)")
            }
            position += 1
            skipSpace()
            guard peek != end else { throw failure("a comma must not be the last of a list") }
        }
    }

    private mutating func word(_ word: String, _ content: JSONNode.Content) throws -> JSONNode.Content {
        guard text[position...].starts(with: word.utf8) else { throw failure("expected a value, found \(found)") }
        position += word.utf8.count
        return content
    }

    /// A string's or number's text is delimited here, and its value is Foundation's business.
    private mutating func string() throws -> String {
        let start = position
        position += 1
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("a string must not hold \(found)") }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        guard peek != nil else { throw failure("the string has no end") }
        position += 1
        guard let string = try? JSONDecoder().decode(String.self, from: Data(text[start..<position])) else {
            throw JSONSyntaxError(
                line: line, column: start - lineStart + 1, problem: "the string has an escape that JSON does not know")
        }
        return string
    }

    private mutating func number() throws -> JSONNode.Content {
        let start = position
        while let byte = peek, Self.numberMarks.contains(byte) { position += 1 }
        let bytes = Data(text[start..<position])
        if let integer = try? JSONDecoder().decode(Int64.self, from: bytes) { return .integer(integer) }
        if let number = try? JSONDecoder().decode(Double.self, from: bytes) { return .number(number) }
        throw JSONSyntaxError(
            line: line, column: start - lineStart + 1,
            problem: "\(String(decoding: text[start..<position], as: UTF8.self)) is no number")
    }
}

extension JSONParser {
    private var peek: UInt8? { position < text.count ? text[position] : nil }

    private mutating func expect(_ byte: UInt8) throws {
        guard peek == byte else {
            throw failure("expected \"\(Character(UnicodeScalar(byte)))\", found \(found)")
        }
        position += 1
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            position += 1
            if byte == 0x0A { (line, lineStart) = (line + 1, position) }
        }
    }

    /// What stands here, in words.
    private var found: String {
        guard let byte = peek else { return "the end" }
        switch byte {
        case 0x0A, 0x0D: return "the end of the line"
        case 0..<0x20: return "a control character"
        default: break
        }
        let rest = String(decoding: text[position...].prefix(4), as: UTF8.self)
        return "\"\(rest.first ?? "?")\""
    }

    private func failure(_ problem: String) -> JSONSyntaxError {
        JSONSyntaxError(line: line, column: position - lineStart + 1, problem: problem)
    }
}
