import ArgumentParser
import CarpelAPI
import CarpelCore

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints what a container has written.",
        discussion: """
            The container's stdout goes to stdout, its stderr to stderr. The log is there until the container is \
            removed, also when it or its pod has ended. It is read from the node's disk (`carpel inspect` tells the \
            logPath), with what was rotated and is there uncompressed. `carpel console` has the machine's own log.

            Examples:
              carpel logs web
              carpel logs --previous web/main
              carpel logs -f --tail 10 --timestamps web/probe
              carpel logs --since 10m web 2>/dev/null
            """)

    @Flag(name: .shortAndLong, help: "Go on with what comes, until the container has exited.")
    var follow = false

    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp("Only so many of the last lines, and what comes.", valueName: "count"))
    var tail: Int?

    @Option(
        help: ArgumentHelp(
            "Only what is newer than a time, or a time ago: 2026-01-31T12:00:00Z, 90s, 1h30m.", valueName: "time"))
    var since: String?

    @Flag(name: .shortAndLong, help: "Print the time of each line.")
    var timestamps = false

    @Flag(
        name: .shortAndLong,
        help: "The log of the container that this one was made in place of: same pod and name, lower attempt.")
    var previous = false

    @Argument(
        help: ArgumentHelp("A container, such as web/probe, or a pod that has but one.", valueName: "name-or-id"),
        completion: .container)
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
