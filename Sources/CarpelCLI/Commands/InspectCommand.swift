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
            Example:
              carpel inspect web
            """)

    @Argument(
        help: ArgumentHelp("A pod or a container.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var target: String

    @OptionGroup var document: DocumentFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
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
        var status = try await client.verbosePodStatus(pod.id)
        // A page of XML, which `debug domain` prints.
        status.info["domain"] = nil
        return status
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
}
