import CarpelAPI
import CarpelCore
import CarpelJSON
import Foundation

/// Refuses a message that is not JSON, or that two readers could read differently.
func checkText(_ line: Data) throws {
    let text = Array(line)
    try checkDepth(text)
    do throws(JSONScanner.Defect) {
        try JSONScanner.check(text)
    } catch {
        let problem =
            switch error {
            case .notUTF8: "the message is not UTF-8"
            case .malformed(let offset): "the message is not JSON from byte \(offset) on"
            case .memberTwice(let name): "the member \"\(name)\" stands twice in one object"
            case .loneSurrogate: "a \\u escape is half of a surrogate pair"
            }
        throw CarpelError(.invalidArgument, "parseError", problem)
    }
}

/// Counts brackets outside strings: a parser is not to recurse as deep as a stranger says.
private func checkDepth(_ line: [UInt8]) throws {
    var depth = 0
    var inString = false
    var escaped = false
    for byte in line {
        if inString {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString = false
            }
            continue
        }
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            guard depth <= JSONRPC.maximumDepth else {
                throw CarpelError(
                    .invalidArgument, "nestedTooDeep", "a message may nest \(JSONRPC.maximumDepth) levels deep")
            }
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
    }
}
