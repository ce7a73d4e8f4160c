import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Shows what containers or pods use.",
        discussion: """
            CPU is in percent of one core, memory is the working set: what the kernel could not take back. A container's \
            LIMIT is its own or its pod's; WRITTEN is what it has written to its root. Of a pod, NET I/O is what it has \
            received and sent, and MACHINE OVERHEAD what its machine takes of the node beside its guest's memory.

            Drawn anew every second, until q or Ctrl-C. Where the output is no terminal, or with --format, it is printed \
            once. Only what runs is shown.

            Examples:
              carpel stats
              carpel stats --no-stream web/probe db
              carpel stats --pods --no-stream --format json
            """)

    @Flag(help: "Pods, with their network and what their machines cost.")
    var pods = false

    @Flag(name: .customLong("no-stream"), help: "Print it once.")
    var once = false

    @Argument(
        help: ArgumentHelp("Only these: containers, or pods and all that is in them.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var targets: [String] = []

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let selection = try StatsSelection(targets, in: try await Inventory.load(from: client))
        let pods = pods
        let read: @Sendable () async throws -> StatsTable = {
            StatsTable(stats: selection.apply(to: try await client.podStats()), pods: pods)
        }
        guard !once, list.format == .table, let screen = LiveScreen() else {
            return try await printOnce(read)
        }
        try await LiveView.run(on: screen, every: .seconds(1), read) { event in
            if case .sample(let table) = event { table.text } else { "" }
        }
    }

    /// What the CPUs did is told from the second reading on.
    private func printOnce(_ read: () async throws -> StatsTable) async throws {
        var table = try await read()
        if !table.hasRates {
            try await Task.sleep(for: .milliseconds(1100))
            table = try await read()
        }
        if pods {
            try list.print(table.stats) { table.text }
        } else {
            try list.print(table.containers.map(\.stats)) { table.text }
        }
    }
}

/// Which pods and containers were asked for; all where nothing was.
struct StatsSelection: Sendable {
    private let pods: Set<String>
    private let containers: Set<String>

    init(_ targets: [String], in inventory: Inventory) throws {
        var (pods, containers) = (Set<String>(), Set<String>())
        for target in targets {
            switch try inventory.target(target) {
            case .pod(let pod): pods.insert(pod.id)
            case .container(let container): containers.insert(container.id)
            }
        }
        (self.pods, self.containers) = (pods, containers)
    }

    func apply(to stats: [PodSandboxStats]) -> [PodSandboxStats] {
        guard !pods.isEmpty || !containers.isEmpty else { return stats }
        return stats.compactMap { pod in
            if pods.contains(pod.attributes?.id ?? "") { return pod }
            var pod = pod
            pod.linux?.containers.removeAll { !containers.contains($0.attributes?.id ?? "") }
            return pod.linux?.containers.isEmpty == false ? pod : nil
        }
    }
}

/// A row for each container, or for each pod.
struct StatsTable: Sendable {
    let stats: [PodSandboxStats]
    let pods: Bool

    var containers: [(pod: PodSandboxStats, stats: ContainerStats)] {
        stats.flatMap { pod in (pod.linux?.containers ?? []).map { (pod, $0) } }
    }

    /// Whether all of them tell how fast they use CPUs.
    var hasRates: Bool { stats.allSatisfy { $0.linux?.cpu?.usageNanoCores != nil } }

    var text: String { pods ? podTable : containerTable }

    private var containerTable: String {
        var table = TextTable(
            .left("CONTAINER"), .left("NAME"), .right("CPU %"), .right("MEM USAGE / LIMIT"), .right("MEM %"),
            .right("WRITTEN"))
        for (pod, stats) in containers {
            let memory = MemoryText(stats.memory, otherwise: pod.linux?.memory)
            let written = stats.writableLayer?.usedBytes.map { HumanText.size($0.value) } ?? ""
            let name = "\(pod.attributes?.metadata?.name ?? "")/\(stats.attributes?.metadata?.name ?? "")"
            table.add(
                "\(HumanText.shortID(stats.attributes?.id ?? ""))", "\(name)", "\(Self.rate(stats.cpu))",
                "\(memory.usage)", "\(memory.part)", "\(written)")
        }
        return table.text
    }

    private var podTable: String {
        var table = TextTable(
            .left("POD ID"), .left("NAME"), .right("CPU %"), .right("MEM USAGE / LIMIT"), .right("MEM %"),
            .right("NET I/O"), .right("PIDS"), .right("MACHINE OVERHEAD"))
        for pod in stats {
            let memory = MemoryText(pod.linux?.memory)
            table.add(
                "\(HumanText.shortID(pod.attributes?.id ?? ""))", "\(pod.attributes?.metadata?.name ?? "")",
                "\(Self.rate(pod.linux?.cpu))", "\(memory.usage)", "\(memory.part)",
                "\(Self.traffic(pod.linux?.network))", "\(pod.linux?.process?.processCount?.value ?? 0)",
                "\(pod.carpel?.machine.map { HumanText.size($0.overheadBytes) } ?? "")")
        }
        return table.text
    }

    private static func rate(_ cpu: CpuUsage?) -> String {
        cpu?.usageNanoCores.map { TopScreen.percent(Double($0.value) / 1e9) } ?? ""
    }

    /// Received and sent, by all interfaces.
    private static func traffic(_ network: NetworkUsage?) -> String {
        let all = [network?.defaultInterface].compactMap(\.self) + (network?.interfaces ?? [])
        let sum = { (count: (NetworkInterfaceUsage) -> UInt64Value?) in
            HumanText.size(all.reduce(0) { $0 &+ (count($1)?.value ?? 0) })
        }
        return "\(sum { $0.rxBytes }) / \(sum { $0.txBytes })"
    }
}

/// Memory in use, of what may be.
private struct MemoryText {
    var usage = ""
    var part = ""

    /// - Parameter otherwise: whose limit counts where there is none of its own.
    init(_ memory: MemoryUsage?, otherwise: MemoryUsage? = nil) {
        guard let working = memory?.workingSetBytes?.value else { return }
        usage = HumanText.size(working)
        guard let limit = Self.limit(memory) ?? Self.limit(otherwise), limit > 0 else { return }
        usage += " / \(HumanText.size(limit))"
        part = TopScreen.percent(Double(working) / Double(limit))
    }

    private static func limit(_ memory: MemoryUsage?) -> UInt64? {
        guard let working = memory?.workingSetBytes?.value, let left = memory?.availableBytes?.value else { return nil }
        return working &+ left
    }
}
