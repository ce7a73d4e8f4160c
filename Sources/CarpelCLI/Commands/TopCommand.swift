import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Synchronization

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows which pods and containers use the most, live.",
        discussion: """
            CPU is in percent of one core, MEMORY is the working set: what the kernel could not take back. LIMIT is how \
            much that may be. OVERHEAD is what a pod's machine takes of the node beside its guest's memory. The plots \
            show the last minute, in a window that is wide enough.

            Keys: q quits, c sorts by CPU, m by memory. Where the output is no terminal, one table is printed.

            The processes in a container are what `carpel exec web ps` shows; `carpel stats` gives the figures as JSON.

            Examples:
              carpel top
              carpel top --sort memory --interval 5
              carpel top | head -5
            """)

    enum SortKey: String, ExpressibleByArgument, CaseIterable {
        case cpu, memory
    }

    @Option(help: ArgumentHelp("What comes first.", valueName: "key"))
    var sort = SortKey.cpu

    @Option(name: .shortAndLong, help: ArgumentHelp("Seconds between two readings.", valueName: "seconds"))
    var interval = 1.0

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        guard (0.1...3600).contains(interval) else { throw ValidationError("--interval is 0.1 to 3600 seconds") }
    }

    func run() async throws {
        let client = try await daemon.connect()
        let order: UsageHistory.Order = sort == .cpu ? .cpu : .memory
        guard let screen = LiveScreen() else { return try await printOnce(client, order) }
        let top = Mutex(TopScreen(order: order))
        let style = Style.of(1)
        try await LiveView.run(on: screen, every: .seconds(interval), { try await client.podStats() }) { event in
            top.withLock { top in
                switch event {
                case .sample(let stats): top.history.note(stats)
                case .key("c"): top.order = .cpu
                case .key("m"): top.order = .memory
                default: break
                }
                return top.text(columns: Int(LiveScreen.size.width), style: style)
            }
        }
    }

    /// CPU is what was used between two readings.
    private func printOnce(_ client: CarpelClient, _ order: UsageHistory.Order) async throws {
        var top = TopScreen(order: order, isPlain: true)
        top.history.note(try await client.podStats())
        try await Task.sleep(for: .seconds(interval))
        top.history.note(try await client.podStats())
        Console.out(top.text(columns: 0, style: .plain))
    }
}

extension CarpelClient {
    func podStats() async throws -> [PodSandboxStats] {
        try await call(Methods.listPodSandboxStats, ListPodSandboxStatsRequest()).stats
    }
}
