import Foundation

/// A plugin that `carpel plugin new` has made outside of the repository, and that its own Makefile has built.
///
/// Each is made once for a test process, which removes it at its end.
public enum TemplatePlugin {
    /// - Returns: the ready folder, with plugin.json and the library; its last part is the plugin's name.
    public static func folder(kind: String, language: String) async throws -> String {
        try await builds.folder(kind: kind, language: language)
    }

    private static let builds = Builds()

    private actor Builds {
        private var builds: [String: Task<String, any Error>] = [:]

        func folder(kind: String, language: String) async throws -> String {
            let name = "my-\(kind)-\(language)"
            let build = builds[name] ?? Task { try await Self.make(name, kind, language) }
            builds[name] = build
            return try await build.value
        }

        private static func make(_ name: String, _ kind: String, _ language: String) async throws -> String {
            let folder = try TemporaryFolder()
            atProcessEnd { folder.remove() }
            // Made in one place and built in another: it may be moved.
            try await shell(
                """
                set -eu
                "$1/.build/debug/carpel" plugin new "$2" --kind "$3" --language "$4" --folder "$5/made/$2"
                mv "$5/made" "$5/moved"
                chmod 755 "$5/moved" "$5/moved/$2"
                make -C "$5/moved/$2"
                """, repository, name, kind, language, folder.path)
            return "\(folder.path)/moved/\(name)/build/\(name)"
        }
    }
}

/// Runs `carpel plugin check` on a plugin's folder.
///
/// - Returns: what it writes, which is JSON, and its exit code.
public func checkPlugin(_ folder: String, _ filters: [String] = []) async throws -> (results: Data, status: Int32) {
    let output = try TemporaryFolder()
    let status = try await shell(
        """
        output=$1 && shift
        "$@" > "$output/results" 2> "$output/errors" && echo 0 || echo $?
        test -s "$output/results" || { cat "$output/errors"; exit 1; }
        """,
        [output.path, "\(repository)/.build/debug/carpel", "plugin", "check", "--output", "json", folder]
            + filters.flatMap { ["--filter", $0] })
    return (
        try Data(contentsOf: URL(fileURLWithPath: "\(output.path)/results")),
        Int32(status.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    )
}
