import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Removes pods or containers.",
        discussion: """
            A pod goes with its containers and their logs. What runs is refused without --force.

            Examples:
              carpel rm web
              carpel rm --force web db
            """)

    @Flag(name: .shortAndLong, help: "Kill what still runs.")
    var force = false

    @Flag(name: .shortAndLong, help: "All pods.")
    var all = false

    @Argument(
        help: ArgumentHelp("Pods or containers.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var targets: [String] = []

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if all != targets.isEmpty { throw ValidationError("name what to remove, or give --all alone") }
    }

    func run() async throws {
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        try await forEach(all ? inventory.pods.map(\.id) : targets) { name in
            switch try inventory.target(name) {
            case .pod(let pod): try await remove(pod, client)
            case .container(let container): try await remove(container, client)
            }
            Console.out(name + "\n")
        }
    }

    private func remove(_ pod: PodSandboxItem, _ client: CarpelClient) async throws {
        guard force || pod.state != .SANDBOX_READY else { throw Self.running("pod", pod.name) }
        try await client.stopAndRemovePod(pod.id)
    }

    private func remove(_ container: ContainerItem, _ client: CarpelClient) async throws {
        guard force || container.state != .CONTAINER_RUNNING else { throw Self.running("container", container.name) }
        try await client.stopContainer(container.id, timeout: 0)
        try await client.removeContainer(container.id)
    }

    private static func running(_ kind: String, _ name: String) -> CarpelError {
        CarpelError(
            .failedPrecondition, "stillRunning",
            "the \(kind) \(name) is running: `carpel stop \(name)` first, or remove it with --force")
    }
}
