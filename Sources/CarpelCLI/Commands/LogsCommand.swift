import ArgumentParser
import CarpelAPI
import CarpelCore

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints what a container has written.",
        discussion: """
            The container's stdout goes to stdout, its stderr to stderr. The log is read from the node's disk.

            Examples:
              carpel logs web
              carpel logs -f --tail 10 --timestamps web/probe
              carpel logs --since 10m web 2>/dev/null
            """)

    @Flag(name: .shortAndLong, help: "Go on until the container has exited.")
    var follow = false

    @Option(name: [.long, .customShort("n")], help: ArgumentHelp("Start at the last lines.", valueName: "count"))
    var tail: Int?

    @Option(
        help: ArgumentHelp("Start at a time, or at a time ago: 2026-01-31T12:00:00Z, 90s, 1h30m.", valueName: "time"))
    var since: String?

    @Flag(name: .shortAndLong, help: "Print the time of each line.")
    var timestamps = false

    @Argument(help: ArgumentHelp("A container, or a pod that has but one.", valueName: "name-or-id"))
    var container: String

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail is a number of lines, 0 or more") }
    }

    func run() async throws {
        let selection = LogSelection(since: try since.map { try LogTime.since($0) }, timestamps: timestamps)
        let client = try await daemon.connect()
        let found = try await Inventory.load(from: client).container(container)
        let printer = LogPrinter(client: client, containerID: found.id, selection: selection, tail: tail)
        if follow {
            _ = try await printer.follow()
        } else {
            try await printer.printAll()
        }
    }
}
