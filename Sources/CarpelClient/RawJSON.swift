import CarpelAPI
import CarpelCore
import Foundation

/// Requests and answers whose messages the client does not know.
enum RawJSON {
    /// `text` without line ends, which JSON allows between its tokens only.
    static func oneLine(_ text: String) throws -> String {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
        } catch {
            throw CarpelError(
                .invalidArgument, "invalidJSON", "the parameters are not a JSON object or array: \(reason(error))")
        }
        return String(text.map { $0.isNewline ? " " : $0 })
    }

    static func request(id: JSONRPC.ID, method: String, params: String) throws -> Data {
        let encoder = JSONEncoder()
        var line = Data(#"{"jsonrpc":"\#(JSONRPC.version)","id":"#.utf8)
        line += try encoder.encode(id)
        line += Data(#","method":"#.utf8)
        line += try encoder.encode(method)
        line += Data(#","params":\#(params)}"#.utf8)
        return line
    }

    /// The JSON text of an answer's result.
    static func result(of reply: Data) throws -> String {
        let members = try JSONSerialization.jsonObject(with: reply) as? [String: Any]
        let result = members?["result"] ?? NSNull()
        let text = try JSONSerialization.data(
            withJSONObject: result, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: text, as: UTF8.self)
    }

    private static func reason(_ error: any Error) -> String {
        let details = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
        return details ?? "\(error)"
    }
}
