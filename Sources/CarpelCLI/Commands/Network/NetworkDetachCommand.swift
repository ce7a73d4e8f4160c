import ArgumentParser
import CarpelAPI

struct NetworkDetachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach",
        abstract: "Takes a pod off a network that it was put on while it ran.",
        discussion: """
            The pod's first interface stays. One that is not there is fine.

            Example:
              carpel network detach web eth1
            """)

    @Argument(help: ArgumentHelp("The pod.", valueName: "name-or-id"), completion: .pod)
    var pod: String

    @Argument(help: "What the pod calls the card, such as eth1: see `carpel network list --attachments`.")
    var interface: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let podID = try await Inventory.load(from: client).pod(pod).id
        let request = DetachNetworkRequest {
            $0.podSandboxId = podID
            $0.interfaceName = interface
        }
        _ = try await client.call(Methods.detachNetwork, request)
        Console.out(interface + "\n")
    }
}
