import ArgumentParser
import CarpelAPI

struct PsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "Lists containers.",
        discussion: """
            Examples:
              carpel ps -a
              carpel ps --pod web --format json
            """)

    @Flag(name: .shortAndLong, help: "Those that do not run, too.")
    var all = false

    @Option(help: ArgumentHelp("Only the containers of this pod.", valueName: "pod"), completion: .pod)
    var pod: String?

    @Flag(name: .shortAndLong, help: "Print full ids only.")
    var quiet = false

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let inventory = try await Inventory.load(from: daemon.connect())
        let podID = try pod.map { try inventory.pod($0).id }
        let containers = inventory.containers
            .filter { all || $0.state == .CONTAINER_RUNNING }
            .filter { podID == nil || $0.podSandboxId == podID }
            .sorted { $0.createdAt > $1.createdAt }
        if quiet {
            Console.out(containers.map { $0.id + "\n" }.joined())
        } else {
            try list.print(containers) { Self.table(containers, inventory) }
        }
    }

    static func table(_ containers: [ContainerItem], _ inventory: Inventory) -> String {
        var table = TextTable(
            .left("CONTAINER"), .left("IMAGE"), .left("STATE"), .right("AGE"), .left("NAME"), .left("POD ID"),
            .left("POD"))
        for container in containers {
            let pod = inventory.pods.first { $0.id == container.podSandboxId }
            table.add(
                "\(HumanText.shortID(container.id))", "\(container.imageName)",
                "\(HumanText.state(container.state.rawValue))", "\(HumanText.age(since: container.createdAt))",
                "\(container.name)", "\(HumanText.shortID(container.podSandboxId))", "\(pod?.name ?? "")")
        }
        return table.text
    }
}

extension ContainerItem {
    /// The image as whoever made the container named it.
    var imageName: String {
        let names = [image?.userSpecifiedImage ?? "", image?.image ?? "", imageRef]
        return HumanText.image(names.first { !$0.isEmpty } ?? "")
    }
}
