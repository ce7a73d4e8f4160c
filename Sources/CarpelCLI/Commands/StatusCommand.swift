import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows whether the node can run pods.",
        discussion: """
            Exits with 1 if the runtime is not ready.

            Examples:
              carpel status
              carpel status --verbose --format json
            """)

    @Flag(name: .shortAndLong, help: "With JSON or YAML: all that the daemon knows of itself.")
    var verbose = false

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let response = try await client.call(Methods.status, StatusRequest { $0.verbose = verbose })
        let conditions = response.status?.conditions ?? []
        let readable = try JSONValue(encoding: response).withReadableInfo()
        try list.print(readable) { Self.table(conditions, style: .of(STDOUT_FILENO)) }
        let isReady = conditions.contains { $0.type == "RuntimeReady" && $0.status }
        if !isReady { throw ExitCode(ExitStatus.failure.rawValue) }
    }

    static func table(_ conditions: [RuntimeCondition], style: Style) -> String {
        var table = TextTable(.left("CONDITION"), .left("STATUS"), .left("REASON"), .left("MESSAGE"))
        for condition in conditions {
            let paint = condition.status ? style.green : style.red
            table.add(
                "\(condition.type)", TextTable.Cell(condition.status ? "yes" : "no", paint: paint),
                "\(condition.reason)", "\(condition.message)")
        }
        return table.text
    }
}
