import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api",
        abstract: "Speaks to the daemon's socket as programs do.",
        discussion: """
            Examples:
              carpel api call Version
              carpel api schema | jq -r '.methods[].name'
            """,
        subcommands: [Call.self, Schema.self])

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema",
            abstract: "Prints the protocol's description (OpenRPC); needs no daemon.",
            discussion: """
                Examples:
                  carpel api schema > carpel.openrpc.json
                  carpel api schema | jq '.methods[] | select(.name == "ExecSync")'
                """)

        @OptionGroup var document: DocumentFormat

        func run() throws { try document.print(OpenRPC.document) }
    }

    struct Call: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "call",
            abstract: "Calls a method and prints its result as JSON.",
            discussion: """
                A method that streams prints an item a line, until the stream or you end it.

                Examples:
                  carpel api call ListPodSandbox
                  carpel api call ContainerStatus '{"containerId": "4b1f…"}'
                  carpel api call RunPod - < pod.json
                  carpel api call GetContainerEvents | jq .containerEventType
                """)

        @Argument(help: "The method's name.")
        var method: String

        @Argument(help: ArgumentHelp("The parameters, or - to read them from stdin.", valueName: "json"))
        var params = "{}"

        @OptionGroup var document: DocumentFormat
        @OptionGroup var daemon: DaemonOptions

        func run() async throws {
            let text = params == "-" ? try Self.standardInput() : params
            let client = try await daemon.connect()
            if let stream = MethodDescription.all.first(where: { $0.name == method })?.untypedStream {
                guard let json = try? JSONValue(text: text) else {
                    throw CarpelError(.invalidArgument, "invalidParams", "the parameters are not JSON")
                }
                return try await Self.printItems(of: stream, UntypedMessage(json), client)
            }
            let result = try await client.callRaw(method: method, params: text)
            try document.print(JSONValue(text: result))
        }

        private static func printItems(
            of method: StreamMethod<UntypedMessage, UntypedMessage>, _ request: UntypedMessage, _ client: CarpelClient
        ) async throws {
            for try await element in try await client.subscribe(method, request) {
                if element.missed > 0 { Console.complain("\(element.missed) items were missed here") }
                Console.out(element.item.json.line + "\n")
            }
        }

        private static func standardInput() throws -> String {
            let data = try FileHandle.standardInput.readToEnd() ?? Data()
            return String(decoding: data, as: UTF8.self)
        }
    }
}
