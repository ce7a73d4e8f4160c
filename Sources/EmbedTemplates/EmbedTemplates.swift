import Foundation
import PackagePlugin

/// Puts the templates of plugins, and the SDK that they are built with, into a target as texts.
@main struct EmbedTemplates: BuildToolPlugin {
    private static let folders = [
        "plugins/network-example-c", "plugins/network-example-swift", "plugins/standalone-sdk",
        "plugins/storage-example-c", "plugins/storage-example-swift", "Sources/CCarpelPlugin", "Sources/CEpoll",
        "Sources/CarpelPluginSDK",
    ]
    /// What builds leave, and documentation.
    private static let left: Set<String> = [".build", "build", "CarpelPluginSDK.docc"]

    func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
        let root = context.package.directoryURL
        let paths = try Self.folders.flatMap { try files(below: $0, of: root) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
        return [
            .buildCommand(
                displayName: "Embedding the templates of plugins",
                executable: try context.tool(named: "embed-templates").url,
                arguments: [output.path, root.path] + paths, inputFiles: paths.map { root.appending(path: $0) },
                outputFiles: [output])
        ]
    }

    private func files(below folder: String, of root: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted().flatMap {
            name in
            let path = "\(folder)/\(name)"
            if Self.left.contains(name) { return [String]() }
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder)
            return isFolder.boolValue ? try files(below: path, of: root) : [path]
        }
    }
}
