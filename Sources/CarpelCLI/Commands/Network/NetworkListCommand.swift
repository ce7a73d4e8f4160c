import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct NetworkListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the networks of this node.",
        discussion: """
            Examples:
              carpel network list
              carpel network ls --attachments
            """,
        aliases: ["ls"])

    @Flag(name: .shortAndLong, help: "List who is on the networks.")
    var attachments = false

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let networks = try await daemon.connect().call(Methods.listNetworks, ListNetworksRequest()).networks
        if attachments {
            let all = networks.flatMap(\.attachments)
            try list.print(all) { Self.table(all) }
        } else {
            try list.print(networks) { Self.table(networks, style: .of(STDOUT_FILENO)) }
        }
    }

    /// The table, and below it why networks are not ready.
    static func table(_ networks: [NetworkInfo], style: Style) -> String {
        var table = TextTable(.left("NETWORK"), .left("PLUGIN"), .left("READY"), .right("ATTACHMENTS"))
        for network in networks {
            let ready = network.ready ? TextTable.Cell("yes", paint: style.green) : .init("no", paint: style.red)
            table.add("\(network.name)", "\(network.plugin)", ready, "\(network.attachments.count)")
        }
        let troubles = networks.filter { !$0.message.isEmpty }.map { "  \($0.name): \($0.message)\n" }
        return table.text + (troubles.isEmpty ? "" : "\nTroubles:\n" + troubles.joined())
    }

    static func table(_ attachments: [NetworkAttachmentInfo]) -> String {
        var table = TextTable(
            .left("POD ID"), .left("NAMESPACE"), .left("POD"), .left("NETWORK"), .left("INTERFACE"), .left("DEVICE"),
            .left("ADDRESSES"), .left("PORTS"))
        for attachment in attachments {
            table.add(
                "\(HumanText.shortID(attachment.podSandboxId))", "\(attachment.podNamespace)", "\(attachment.podName)",
                "\(attachment.network)", "\(attachment.interfaceName)", "\(attachment.device)",
                "\(attachment.addresses.map(\.address).joined(separator: ", "))",
                "\(attachment.portMappings.map(HumanText.port).joined(separator: ", "))")
        }
        return table.text
    }
}

extension HumanText {
    /// `127.0.0.1:8080->80/tcp`, as in docker's tables.
    static func port(_ mapping: PortMapping) -> String {
        let address = mapping.hostIp.contains(":") ? "[\(mapping.hostIp)]" : mapping.hostIp
        let host = address.isEmpty ? "\(mapping.hostPort)" : "\(address):\(mapping.hostPort)"
        return "\(host)->\(mapping.containerPort)/\(mapping.protocol.rawValue.lowercased())"
    }
}
