import ArgumentParser
import CarpelCore

struct PortForwardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "port-forward",
        abstract: "Makes ports of a pod reachable on this machine.",
        discussion: """
            Listens until Ctrl-C, and carries each TCP connection (no UDP) to 127.0.0.1 or ::1 of the pod, through the \
            daemon: the pod needs no network for it, and what listens there on another address only is not reached. \
            Prints a line for each port once it listens. A connection that the pod refuses is told on stderr, and the \
            next one is tried again. Ports that are there for as long as the pod: `carpel run --publish`.

            Examples:
              carpel port-forward web 8080:80
              carpel port-forward web 80 443
              carpel port-forward web :80
              carpel port-forward --address 0.0.0.0 web 8080:80
            """)

    @Option(help: ArgumentHelp("Where to listen.", valueName: "address"))
    var address = "127.0.0.1"

    @OptionGroup var daemon: DaemonOptions

    @Argument(help: ArgumentHelp("The pod: a name or an id.", valueName: "pod"), completion: .pod)
    var pod: String

    @Argument(
        help: ArgumentHelp(
            "A port to listen on and one of the pod; the same without HOST, any free one where that is empty.",
            valueName: "[host:]port"))
    var ports: [String]

    func run() async throws {
        let ports = try ports.map { try ForwardedPort($0) }
        let client = try await daemon.connect()
        let podID = try await Inventory.load(from: client).pod(pod).id
        var forwardings: [PortForwarding] = []
        for port in ports {
            let forwarding = try await PortForwarding(
                to: port.pod, of: podID, from: address, port.host, client: client)
            forwardings.append(forwarding)
            Console.out("\(forwarding.address) -> \(port.pod)\n")
        }
        let (result, signal) = await Interruption.cancelling { [forwardings] in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for forwarding in forwardings { group.addTask { try await forwarding.run() } }
                try await group.waitForAll()
            }
        }
        if let signal { throw ExitCode(128 + signal) }
        try result.get()
    }
}
