import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits until containers have exited, and prints their exit codes.",
        discussion: """
            Prints a line for each container, in the order of the arguments. A pod stands for all the containers that \
            it has, the oldest first. A daemon that is restarted meanwhile is waited for.

            Example:
              code=$(carpel wait --timeout 60 web/migrate)
            """)

    @Option(help: ArgumentHelp("Give up, with exit code 7, after so many seconds.", valueName: "seconds"))
    var timeout: Int?

    @Argument(
        help: ArgumentHelp("Containers or pods.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var targets: [String]

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if let timeout, timeout < 0 { throw ValidationError("--timeout is a number of seconds, 0 or more") }
    }

    func run() async throws {
        guard let timeout else { return try await printExits() }
        try await withDeadline(.seconds(timeout), reason: "waitTimeout", "the wait") { try await printExits() }
    }

    private func printExits() async throws {
        let (client, containers) = try await overRestarts { connected in
            let client = try await daemon.connect()
            let inventory = try await Inventory.load(from: client)
            connected()
            return (client, try targets.flatMap { try Self.containers(of: $0, in: inventory) })
        }
        try await Self.printExits(of: containers, client)
    }

    private static func printExits(of containers: [String], _ client: CarpelClient) async throws {
        for container in containers { Console.out("\(try await client.exit(of: container).exitCode)\n") }
    }

    static func containers(of target: String, in inventory: Inventory) throws -> [String] {
        switch try inventory.target(target) {
        case .container(let container): return [container.id]
        case .pod(let pod):
            let containers = inventory.containers(of: pod).sorted { $0.createdAt < $1.createdAt }
            guard !containers.isEmpty else {
                throw CarpelError(.failedPrecondition, "podEmpty", "the pod \(target) has no container to wait for")
            }
            return containers.map(\.id)
        }
    }
}
