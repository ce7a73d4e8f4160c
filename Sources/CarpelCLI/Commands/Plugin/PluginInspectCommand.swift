import ArgumentParser
import CarpelAPI
import CarpelCore

struct PluginInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows all that is known of a plugin: its process, what it may do, its manifest and configuration.",
        discussion: """
            Example:
              carpel plugin inspect network-bridge
            """)

    @Argument(help: "The plugin's name.")
    var name: String

    @OptionGroup var document: DocumentFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = PluginStatusRequest { $0.name = name }
        let response = try await daemon.connect().call(Methods.pluginStatus, request)
        try document.print(try JSONValue(encoding: response).withReadableInfo())
    }
}
