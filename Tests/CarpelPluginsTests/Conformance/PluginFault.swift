import Foundation
import TestSupport
import Testing

/// The example in C with something broken in it, and the checks that must notice.
struct PluginFault: Sendable, CustomTestStringConvertible {
    let kind: String
    let testDescription: String
    let fails: [String]
    /// Texts of the source, each of which stands there once, and what takes their places.
    let edits: [(String, String)]

    static func network(_ fault: String, fails: [String], _ edits: (String, String)...) -> PluginFault {
        PluginFault(kind: "network", testDescription: fault, fails: fails, edits: edits)
    }

    static func storage(_ fault: String, fails: [String], _ edits: (String, String)...) -> PluginFault {
        PluginFault(kind: "storage", testDescription: fault, fails: fails, edits: edits)
    }

    /// Compiles the broken plugin.
    ///
    /// - Returns: its folder.
    func build(in folder: TemporaryFolder) async throws -> String {
        let name = "\(kind)-example-c"
        let original = "\(repository)/plugins/\(name)"
        var source = try String(contentsOfFile: "\(original)/\(name).c", encoding: .utf8)
        for (old, new) in edits {
            guard source.components(separatedBy: old).count == 2 else {
                throw SupportError("\(testDescription): \"\(old)\" does not stand once in \(name).c")
            }
            source = source.replacingOccurrences(of: old, with: new)
        }
        let file = try folder.file("plugin.c", source)
        try await shell(
            """
            set -eu
            cc -std=c11 -w -O1 -fPIC -shared -I "$1" -o "$2/lib$3.so" "$4" -ljansson
            cp "$1/plugin.json" "$2/"
            rm "$4"
            """, original, folder.path, name, file)
        return folder.path
    }
}
