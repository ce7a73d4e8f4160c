import ArgumentParser
import CarpelAPI

struct NetworkAttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Puts a pod that runs on one more network, and prints its interface and addresses.",
        discussion: """
            Examples:
              carpel network attach web backend
              carpel network attach --interface eth7 --ip 10.89.0.7 web backend
            """)

    @Option(
        name: .customLong("interface"),
        help: ArgumentHelp("What the pod calls the card; the next eth without it.", valueName: "name"))
    var interfaceName: String?

    @Option(
        name: .customLong("ip"), help: ArgumentHelp("An address that it must get; repeatable.", valueName: "address"))
    var addresses: [String] = []

    @Option(name: .customLong("mac-address"), help: ArgumentHelp("The card's address.", valueName: "address"))
    var macAddress: String?

    @Argument(help: ArgumentHelp("The pod.", valueName: "name-or-id"), completion: .pod)
    var pod: String

    @Argument(help: "The network's name.")
    var network: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let podID = try await Inventory.load(from: client).pod(pod).id
        let request = AttachNetworkRequest {
            $0.podSandboxId = podID
            $0.network = PodNetwork {
                $0.name = network
                $0.interfaceName = interfaceName ?? ""
                $0.addresses = addresses
                $0.macAddress = macAddress ?? ""
            }
        }
        let attachment = try await client.call(Methods.attachNetwork, request).attachment
        let words = [attachment?.interfaceName ?? ""] + (attachment?.addresses.map(\.address) ?? [])
        Console.out(words.joined(separator: " ") + "\n")
    }
}
