import CarpelCore
import Foundation

/// One end of a copy: a path of this machine, `CONTAINER:PATH`, or `-` for a tar archive on stdin or stdout.
enum CopyPlace: Equatable {
    case local(String)
    case container(String, path: String)
    case standard

    /// What begins with / or a dot is a path of this machine, whatever it holds.
    ///
    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(_ text: String) throws {
        if text == "-" {
            self = .standard
        } else if text.hasPrefix("/") || text.hasPrefix(".") || !text.contains(":") {
            guard !text.isEmpty else { throw Self.invalid(text) }
            self = .local(text)
        } else {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !parts[0].isEmpty, !parts[1].isEmpty else { throw Self.invalid(text) }
            self = .container(parts[0], path: parts[1])
        }
    }

    private static func invalid(_ text: String) -> CarpelError {
        CarpelError(
            .invalidArgument, "invalidOption",
            "\"\(text)\" is nothing to copy: give a path of this machine, CONTAINER:PATH, or - for a tar archive")
    }
}

/// A path as a folder and the name of what is in it.
struct SplitPath: Equatable {
    let folder: String
    let name: String
    /// The path ends with `/.`: what is inside is meant, not the folder itself. The name is then `.`.
    var isContent: Bool { name == "." }

    init(_ path: String) {
        if path == "." || path.hasSuffix("/.") || path == "/" || path == ".." || path.hasSuffix("/..") {
            folder = path
            name = "."
            return
        }
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        let slash = path.lastIndex(of: "/")
        name = String(slash.map { path[path.index(after: $0)...] } ?? path)
        let before = slash.map { String(path[..<$0]) } ?? "."
        folder = before.isEmpty ? "/" : before
    }
}
