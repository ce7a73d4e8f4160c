import Foundation

// Writes Swift source that holds the comments of messages and of their fields, so that the protocol's description says
// what the code says. Arguments: the file to write, and the files that declare messages.

let arguments = CommandLine.arguments.dropFirst()
guard let output = arguments.first else {
    FileHandle.standardError.write(Data("usage: describe-messages OUTPUT FILE...\n".utf8))
    exit(2)
}

/// By `Message`, and by `Message.field`.
func comments(in source: String) -> [(name: String, text: String)] {
    var found: [(name: String, text: String)] = []
    var message: Substring?
    var comment: [Substring] = []
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
        if let match = line.wholeMatch(of: #/ *///(?: (.*))?/#) {
            if let text = match.output.1 { comment.append(text) }
            continue
        }
        let text = comment.joined(separator: " ")
        comment = []
        if line.starts(with: #/(public |private )?(struct|enum|extension) /#) {
            message = line.prefixMatch(of: #/public struct (\w+): ProtoMessage /#)?.output.1
            if let message { found.append((String(message), text)) }
        } else if let message, let match = line.prefixMatch(of: #/    @Field public var `?(\w+)`?: /#) {
            found.append(("\(message).\(match.output.1)", text))
        }
    }
    return found.filter { !$0.text.isEmpty }
}

var source =
    "enum MessageComments {\n    /// By `Message`, and by `Message.field`.\n    static let all: [String: String] = [\n"
for path in arguments.dropFirst() {
    for (name, text) in comments(in: try String(contentsOfFile: path, encoding: .utf8)) {
        source += "        \(name.debugDescription): \(text.debugDescription),\n"
    }
}
source += "    ]\n}\n"
try source.write(toFile: output, atomically: true, encoding: .utf8)
