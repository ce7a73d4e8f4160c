import ArgumentParser
import CarpelAPI

struct PodsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pods",
        abstract: "Lists pods.",
        discussion: """
            Examples:
              carpel pods
              carpel pods --format yaml
            """)

    @Flag(name: .shortAndLong, help: "Print full ids only.")
    var quiet = false

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let inventory = try await Inventory.load(from: daemon.connect())
        let pods = inventory.pods.sorted { $0.createdAt > $1.createdAt }
        if quiet {
            Console.out(pods.map { $0.id + "\n" }.joined())
        } else {
            try list.print(pods) { Self.table(pods, inventory) }
        }
    }

    static func table(_ pods: [PodSandboxItem], _ inventory: Inventory) -> String {
        var table = TextTable(
            .left("POD ID"), .left("NAMESPACE"), .left("NAME"), .left("STATE"), .right("AGE"), .right("RUNNING"))
        for pod in pods {
            let containers = inventory.containers(of: pod)
            let running = containers.filter { $0.state == .CONTAINER_RUNNING }.count
            table.add(
                "\(HumanText.shortID(pod.id))", "\(pod.namespace)", "\(pod.name)",
                "\(HumanText.state(pod.state.rawValue))", "\(HumanText.age(since: pod.createdAt))",
                "\(running)/\(containers.count)")
        }
        return table.text
    }
}
