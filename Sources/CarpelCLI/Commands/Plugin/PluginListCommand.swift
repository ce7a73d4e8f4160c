import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct PluginListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the plugins that the daemon has found, those that do not work too.",
        discussion: """
            Examples:
              carpel plugin list
              carpel plugin ls --format json
            """,
        aliases: ["ls"])

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let plugins = try await daemon.connect().call(Methods.listPlugins, ListPluginsRequest()).plugins
        try list.print(plugins) { Self.table(plugins, style: .of(STDOUT_FILENO)) }
    }

    /// The table, and below it what is wrong with those that do not work.
    static func table(_ plugins: [PluginInfo], style: Style) -> String {
        var table = TextTable(
            .left("NAME"), .left("KIND"), .left("VERSION"), .left("STATE"), .right("RESTARTS"), .right("MEMORY"),
            .left("DESCRIPTION"))
        for plugin in plugins {
            let state = TextTable.Cell(word(plugin.state.rawValue), paint: paint(plugin.state, style))
            let memory = plugin.residentBytes > 0 ? HumanText.size(UInt64(plugin.residentBytes)) : ""
            table.add(
                "\(plugin.name)", "\(plugin.kind == .UNKNOWN ? "" : word(plugin.kind.rawValue))",
                "\(([plugin.version] + plugin.drainingVersions.map { $0 + " drains" }).joined(separator: ", "))", state,
                "\(plugin.restarts)", "\(memory)", "\(plugin.description)")
        }
        let troubles = plugins.filter { !$0.message.isEmpty }.map { "  \($0.name): \($0.message)\n" }
        return table.text + (troubles.isEmpty ? "" : "\nTroubles:\n" + troubles.joined())
    }

    private static func word(_ name: String) -> String {
        name.lowercased().replacing("_", with: " ")
    }

    private static func paint(_ state: PluginInfo.State, _ style: Style) -> (String) -> String {
        switch state {
        case .READY: style.green
        case .STARTING, .BACKING_OFF: style.yellow
        case .FAILED: style.red
        }
    }
}
