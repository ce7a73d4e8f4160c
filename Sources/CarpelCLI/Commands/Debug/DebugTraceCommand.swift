import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct DebugTraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Draws the steps of a pod's start as bars.",
        discussion: """
            Example:
              carpel debug trace web
            """)

    @Argument(
        help: ArgumentHelp("A pod, or a container of it.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var target: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        let pod =
            switch try inventory.target(target) {
            case .pod(let pod): pod
            case .container(let container): try inventory.pod(container.podSandboxId)
            }
        Console.out("pod \(pod.name) (\(HumanText.shortID(pod.id)))\n" + (try await Self.chart(of: pod, client)))
    }

    private static func chart(of pod: PodSandboxItem, _ client: CarpelClient) async throws -> String {
        let request = PodSandboxStatusRequest {
            $0.podSandboxId = pod.id
            $0.verbose = true
        }
        guard let text = try await client.call(Methods.podSandboxStatus, request).info["timeline"] else {
            throw CarpelError(.notFound, "noTimeline", "the daemon has kept no time line of the pod \(pod.name)")
        }
        let steps = try JSONDecoder().decode([TimelineStep].self, from: Data(text.utf8))
        return TimelineChart(steps: steps, now: Int64(Date().timeIntervalSince1970 * 1_000_000_000)).text
    }
}
