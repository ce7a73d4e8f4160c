import Foundation

// Writes Swift source that holds files as texts. Arguments: the file to write, a folder, and paths below the folder.
// `carpel` makes new plugins of them, wherever its executable is put.

let arguments = CommandLine.arguments.dropFirst()
guard let output = arguments.first, let folder = arguments.dropFirst().first else {
    FileHandle.standardError.write(Data("usage: embed-templates OUTPUT FOLDER PATH...\n".utf8))
    exit(2)
}

/// A literal that no text can end: it has more signs around it than any text has after a quote.
let fence = String(repeating: "#", count: 8)

var source =
    "enum EmbeddedFiles {\n    /// By their paths in the repository.\n    static let all: [String: String] = [\n"
for path in arguments.dropFirst(2) {
    let text = try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
    source += "        \"\(path)\": \(fence)\"\"\"\n\(text)\n\"\"\"\(fence),\n"
}
source += "    ]\n}\n"
try source.write(toFile: output, atomically: true, encoding: .utf8)
