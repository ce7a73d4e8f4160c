import CarpelAPI
import CarpelCore
import CarpelJSON

/// Refuses a message that is not JSON, or that two readers could read differently.
func checkText(_ line: [UInt8]) throws {
    do throws(JSONScanner.Defect) {
        try JSONScanner.check(line, depth: JSONRPC.maximumDepth)
    } catch {
        let problem =
            switch error {
            case .nestedTooDeep:
                throw CarpelError(
                    .invalidArgument, "nestedTooDeep", "a message may nest \(JSONRPC.maximumDepth) levels deep")
            case .notUTF8: "the message is not UTF-8"
            case .malformed(let offset): "the message is not JSON from byte \(offset) on"
            case .memberTwice(let name): "the member \"\(name)\" stands twice in one object"
            case .loneSurrogate: "a \\u escape is half of a surrogate pair"
            }
        throw CarpelError(.invalidArgument, "parseError", problem)
    }
}
