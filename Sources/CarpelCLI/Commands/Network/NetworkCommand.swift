import ArgumentParser

struct NetworkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network",
        abstract: "Shows networks and who is on them; puts pods that run on more of them.",
        discussion: """
            Examples:
              carpel network list
              carpel network attach web backend
            """,
        subcommands: [NetworkListCommand.self, NetworkAttachCommand.self, NetworkDetachCommand.self],
        aliases: ["networks"])
}
