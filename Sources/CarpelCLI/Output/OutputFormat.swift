import ArgumentParser
import CarpelAPI
import CarpelCore

/// How lists are printed.
struct ListFormat: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case table, json, yaml
    }

    @Option(
        name: [.customShort("o"), .long, .customLong("output")],
        help: ArgumentHelp("How to print it.", valueName: "format"))
    var format = Kind.table

    /// Prints `table`, or the messages as the socket carried them.
    func print<Message: Encodable>(_ messages: Message, table: () -> String) throws {
        switch format {
        case .table: Console.out(table())
        case .json: Console.out(try JSONValue(encoding: messages).prettyText + "\n")
        case .yaml: Console.out(try JSONValue(encoding: messages).yamlText())
        }
    }
}

/// How one thing is printed in full.
struct DocumentFormat: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case json, yaml
    }

    @Option(
        name: [.customShort("o"), .long, .customLong("output")],
        help: ArgumentHelp("How to print it.", valueName: "format"))
    var format = Kind.json

    func print(_ value: JSONValue) throws {
        switch format {
        case .json: Console.out(value.prettyText + "\n")
        case .yaml: Console.out(try value.yamlText())
        }
    }
}
