import ArgumentParser
import CarpelCore
import Foundation

/// A plugin that works, and is the start of another.
struct PluginTemplate {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case network, storage
    }

    enum Language: String, ExpressibleByArgument, CaseIterable {
        case swift, c
    }

    let kind: Kind
    let language: Language

    /// The example's name, which stands in its files wherever the plugin's name belongs, and nowhere else.
    private var example: String { "\(kind)-example-\(language)" }

    /// The texts of a plugin called `name`, by their paths below its folder.
    func files(named name: String) -> [String: String] {
        let own = Self.files(below: "plugins/\(example)/").map { path, text in
            (path.replacingOccurrences(of: example, with: name), text.replacingOccurrences(of: example, with: name))
        }
        let shared = language == .swift ? Self.sdk : [:]
        return Dictionary(own) { first, _ in first }.merging(shared) { first, _ in first }
    }

    /// Writes the plugin's folder.
    ///
    /// - Parameter folder: must not exist; the folders above it are made.
    /// - Throws: `CarpelError` with `.invalidArgument` for a name that a plugin cannot have, `.alreadyExists` if the
    ///   folder is there. Nothing is left then.
    func write(named name: String, to folder: URL) throws {
        try Self.check(name)
        let parent = folder.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        guard mkdir(folder.path, 0o777) == 0 else {
            guard errno == EEXIST else {
                throw CarpelError(
                    .internal, "folderNotMade", "cannot make \(folder.path): \(String(cString: strerror(errno)))")
            }
            throw CarpelError(
                .alreadyExists, "folderExists", "\(folder.path) is there already: choose another name or --folder")
        }
        do {
            for (path, text) in files(named: name) {
                let file = folder.appending(path: path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: file, atomically: false, encoding: .utf8)
            }
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    /// What the manifest's schema says of names.
    ///
    /// - Throws: `CarpelError` with `.invalidArgument`.
    static func check(_ name: String) throws {
        guard (1...63).contains(name.utf8.count), name.wholeMatch(of: /[a-z0-9]([a-z0-9-]*[a-z0-9])?/) != nil else {
            throw CarpelError(
                .invalidArgument, "nameMalformed",
                "\"\(name)\" cannot be a plugin's name: small letters, digits, and hyphens between them, at most 63")
        }
    }

    /// The package that a plugin in Swift is built with.
    private static var sdk: [String: String] {
        let package = files(below: "plugins/standalone-sdk/").map { ("CarpelPluginSDK/\($0)", $1) }
        let sources = ["CCarpelPlugin", "CEpoll", "CarpelPluginSDK"].flatMap { target in
            files(below: "Sources/\(target)/").map { ("CarpelPluginSDK/Sources/\(target)/\($0)", $1) }
        }
        return Dictionary(package + sources) { first, _ in first }
    }

    private static func files(below folder: String) -> [(path: String, text: String)] {
        EmbeddedFiles.all.compactMap { path, text in
            path.hasPrefix(folder) ? (String(path.dropFirst(folder.count)), text) : nil
        }
    }
}
