import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows all that is known of a pod or a container.",
        discussion: """
            With --timeline draws the steps of a pod's start as bars.

            Examples:
              carpel inspect web
              carpel inspect --timeline web
            """)

    @Flag(help: "Draw the steps of the pod's start.")
    var timeline = false

    @Argument(help: ArgumentHelp("A pod or a container.", valueName: "name-or-id"))
    var target: String

    @OptionGroup var document: DocumentFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        if timeline {
            let pod = try Self.pod(of: inventory.target(target), in: inventory)
            return Console.out(try await Self.chart(of: pod, client))
        }
        let status: JSONValue
        switch try inventory.target(target) {
        case .pod(let pod): status = try JSONValue(encoding: try await Self.status(of: pod, client))
        case .container(let container): status = try JSONValue(encoding: try await Self.status(of: container, client))
        }
        try document.print(status.withReadableInfo())
    }

    private static func status(
        of pod: PodSandboxItem, _ client: CarpelClient
    ) async throws -> PodSandboxStatusResponse {
        let request = PodSandboxStatusRequest {
            $0.podSandboxId = pod.id
            $0.verbose = true
        }
        return try await client.call(Methods.podSandboxStatus, request)
    }

    private static func status(
        of container: ContainerItem, _ client: CarpelClient
    ) async throws -> ContainerStatusResponse {
        let request = ContainerStatusRequest {
            $0.containerId = container.id
            $0.verbose = true
        }
        return try await client.call(Methods.containerStatus, request)
    }

    private static func pod(of target: Inventory.Target, in inventory: Inventory) throws -> PodSandboxItem {
        switch target {
        case .pod(let pod): pod
        case .container(let container): try inventory.pod(container.podSandboxId)
        }
    }

    private static func chart(of pod: PodSandboxItem, _ client: CarpelClient) async throws -> String {
        let response = try await status(of: pod, client)
        guard let text = response.info["timeline"] else {
            throw CarpelError(.notFound, "noTimeline", "the daemon has kept no time line of the pod \(pod.name)")
        }
        let steps = try JSONDecoder().decode([TimelineStep].self, from: Data(text.utf8))
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000_000)
        return "pod \(pod.name) (\(HumanText.shortID(pod.id)))\n" + TimelineChart(steps: steps, now: now).text
    }
}
