import ArgumentParser

struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Shows the plugins of this node; makes and checks new ones.",
        discussion: """
            Examples:
              carpel plugin list
              carpel plugin new mynet --kind network --language swift
              carpel plugin check mynet/build/mynet
            """,
        subcommands: [
            PluginListCommand.self, PluginInspectCommand.self, PluginReloadCommand.self, PluginNewCommand.self,
            PluginCheckCommand.self,
        ],
        aliases: ["plugins"])
}
