import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Shows what happens on the node, as it happens.",
        discussion: """
            Prints a line for each change of a pod, container, image, volume or plugin, until Ctrl-C or the daemon's \
            end (exit code 4): time, kind, id, change, name, and the state that it is in now. What was before is not \
            told, but with --all, which begins with what is there.

            Each change has a revision, which JSON shows. --since goes on behind one (no time, as docker's does); if \
            the daemon does not remember it any more, it says so, and --all begins anew.

            Filters are KEY=VALUE, of which all keys and one value of each must match:
              kind=pod|container|image|volume|plugin   type=added|modified|removed
              state=STATE, such as running or exited   pod=NAME or the start of an id   name=NAME   id=START-OF-ID

            Examples:
              carpel events --filter kind=container --filter state=exited
              carpel events --all -o json | jq -c '[.revision, .type, .id]'
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(name: [.long, .customShort("f")], help: ArgumentHelp("Only what matches.", valueName: "key=value"))
    var filter: [String] = []

    @Option(help: ArgumentHelp("Begin behind this revision.", valueName: "revision"))
    var since: UInt64?

    @Flag(help: "Begin with everything that is there.")
    var all = false

    @Flag(help: "Show CRI's events of containers, as GetContainerEvents gives them.")
    var cri = false

    @Option(
        name: [.customShort("o"), .long, .customLong("output")],
        help: ArgumentHelp("How to print it; json is an object a line.", valueName: "format"))
    var format = Format.text

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if cri, all || since != nil || !filter.isEmpty {
            throw ValidationError("--cri has no --all, --since or --filter: CRI's events begin now")
        }
        if all, since != nil { throw ValidationError("give either --all or --since") }
        _ = try EventFilter(filter)
    }

    func run() async throws {
        let client = try await daemon.connect()
        let (result, signal) = await Interruption.cancelling {
            if cri { try await printContainerEvents(client) } else { try await printChanges(client) }
        }
        if let signal { throw ExitCode(128 + signal) }
        try result.get()
    }

    private func printChanges(_ client: CarpelClient) async throws {
        let filter = try EventFilter(filter)
        var lines = EventLines()
        var isNew = all || since != nil
        let request = WatchNodeRequest { $0.revision = since ?? 0 }
        for try await element in try await client.subscribe(Methods.watchNode, request) {
            Self.tellMissed(element.missed)
            let change = element.item
            let line = lines.line(change)
            if change.type == .BOOKMARK { isNew = true }
            guard isNew, filter.matches(change, podName: lines.podName(of: change)) else { continue }
            switch format {
            case .text: if let line { Console.out(line + "\n") }
            case .json: if change.type != .BOOKMARK { Console.out(try JSONValue(encoding: change).line + "\n") }
            }
        }
    }

    private func printContainerEvents(_ client: CarpelClient) async throws {
        for try await element in try await client.subscribe(Methods.getContainerEvents, GetEventsRequest()) {
            Self.tellMissed(element.missed)
            switch format {
            case .text: Console.out(EventLines.line(element.item) + "\n")
            case .json: Console.out(try JSONValue(encoding: element.item).line + "\n")
            }
        }
    }

    private static func tellMissed(_ count: UInt64) {
        guard count > 0 else { return }
        Console.complain("\(count) events were missed, since they were not read in time")
    }
}
