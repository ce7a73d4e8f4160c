import ArgumentParser
import CarpelAPI
import CarpelCore

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints what a container has written.",
        discussion: """
            The container's stdout goes to stdout, its stderr to stderr. The log is read from the node's disk, with \
            what was rotated and is there uncompressed.

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

    @Flag(name: .shortAndLong, help: "The log of the container's previous instance: same pod and name, lower attempt.")
    var previous = false

    @Argument(help: ArgumentHelp("A container, or a pod that has but one.", valueName: "name-or-id"))
    var container: String

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail is a number of lines, 0 or more") }
        if follow, previous { throw ValidationError("a previous instance has ended: it has nothing to --follow") }
    }

    func run() async throws {
        let selection = LogSelection(since: try since.map { try LogTime.since($0) }, timestamps: timestamps)
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        var found = try inventory.container(container)
        if previous { found = try inventory.previous(of: found) }
        let printer = LogPrinter(client: client, containerID: found.id, selection: selection, tail: tail)
        if follow {
            _ = try await printer.follow()
        } else {
            try await printer.printAll()
        }
    }
}
