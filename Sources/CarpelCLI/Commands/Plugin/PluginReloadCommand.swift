import ArgumentParser
import CarpelAPI

struct PluginReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Takes a plugin's manifest and library as they are on disk now.",
        discussion: """
            What the version before has made stays with it until the pods are gone. If the new version does not load, \
            the version before goes on with everything. A plugin that is new in the folders is found by its name.

            Example:
              carpel plugin reload mynet
            """)

    @Argument(help: "The plugin's name.")
    var name: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = ReloadPluginRequest { $0.name = name }
        let plugin = try await daemon.connect().call(Methods.reloadPlugin, request).plugin
        Console.out("\(name) \(plugin?.version ?? "")\n")
    }
}
