import ArgumentParser

struct DebugCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "debug",
        abstract: "Finds out why something does not work.",
        discussion: """
            Examples:
              carpel debug trace web
              carpel debug domain web
              carpel debug bundle
            """,
        subcommands: [DebugTraceCommand.self, DebugDomainCommand.self, DebugBundleCommand.self])
}
