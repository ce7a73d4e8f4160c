import ArgumentParser
import Foundation

struct PluginNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Makes a folder with a plugin that works, to start your own from.",
        discussion: """
            The folder needs nothing but itself: it may be moved anywhere, and builds without a network. A plugin in \
            Swift brings the SDK's sources along, one in C the header; C also needs Debian's libjansson-dev. No daemon \
            is asked.

            Examples:
              carpel plugin new mynet --kind network --language c
              carpel plugin new mystore --kind storage --language swift --folder ~/plugins/mystore
            """)

    @Argument(help: "The plugin's name: small letters, digits, and hyphens between them.")
    var name: String

    @Option(help: "What it is for.")
    var kind: PluginTemplate.Kind

    @Option(help: "What it is written in.")
    var language: PluginTemplate.Language

    @Option(
        help: ArgumentHelp("The folder to make; NAME in the working folder without it.", valueName: "folder"),
        completion: .directory)
    var folder: String?

    func run() async throws {
        let folder = folder ?? name
        try PluginTemplate.check(name)
        try PluginTemplate(kind: kind, language: language).write(
            named: name, to: URL(fileURLWithPath: absolutePath(folder)))
        Console.out(
            """
            \(folder)
            Next, as its README.md says:
              make -C \(folder)
              carpel plugin check \(folder)/build/\(name)

            """)
    }
}
