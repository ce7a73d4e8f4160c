import Foundation
import PackagePlugin

/// Puts the comments of the socket's messages into the target that declares them, for the protocol's description.
@main struct DescribeMessages: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
        let files = (target as? any SourceModuleTarget)?.sourceFiles(withSuffix: ".swift").map(\.url) ?? []
        let messages = files.filter { $0.deletingLastPathComponent().lastPathComponent == "Messages" }
        let output = context.pluginWorkDirectoryURL.appending(path: "MessageComments.swift")
        return [
            .buildCommand(
                displayName: "Reading the comments of messages",
                executable: try context.tool(named: "describe-messages").url,
                arguments: [output.path] + messages.map(\.path).sorted(), inputFiles: messages, outputFiles: [output])
        ]
    }
}
