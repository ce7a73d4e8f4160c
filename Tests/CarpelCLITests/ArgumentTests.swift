import ArgumentParser
import CarpelCore
import Testing

@testable import CarpelCLI

struct ArgumentTests {
    private func run(_ arguments: String...) throws -> RunCommand {
        try #require(try CarpelCommand.parseAsRoot(["run"] + arguments) as? RunCommand)
    }

    @Test func whatFollowsTheImageIsTheContainers() throws {
        let command = try run("-d", "--name", "web", "busybox", "sh", "-c", "ls", "--rm", "--", "-d")
        #expect(command.image == "busybox")
        #expect(command.command == ["sh", "-c", "ls", "--rm", "--", "-d"])
        #expect(command.options.detach)
        #expect(!command.options.removeAtExit)
        #expect(command.options.name == "web")
    }

    @Test func optionsRepeat() throws {
        let options = try run("-e", "A=1", "--env", "B=2", "-l", "x=y", "--cap-add", "NET_RAW", "busybox").options
        #expect(options.env == ["A=1", "B=2"])
        #expect(options.label == ["x=y"])
        #expect(options.addedCapabilities == ["NET_RAW"])
        #expect(options.pull == .missing)
    }

    @Test func optionsThatContradictEachOtherAreRefused() {
        #expect(throws: (any Error).self) { try run("-d", "--rm", "busybox") }
        #expect(throws: (any Error).self) { try run("--pod", "web", "--hostname", "x", "busybox") }
        #expect(throws: (any Error).self) { try CarpelCommand.parseAsRoot(["rm"]) }
        #expect(throws: (any Error).self) { try CarpelCommand.parseAsRoot(["rm", "--all", "web"]) }
    }

    @Test func execTakesItsOptionsBeforeTheContainerOnly() throws {
        let parsed = try CarpelCommand.parseAsRoot(["exec", "--timeout", "5", "web", "ls", "--timeout", "6"])
        let command = try #require(parsed as? ExecCommand)
        #expect(command.timeout == 5)
        #expect(command.command == ["ls", "--timeout", "6"])
    }

    @Test func theSocketMayStandInFrontOfTheCommand() throws {
        #expect(try LeadingSocket(["--socket", "/a", "ps", "-a"]).path == "/a")
        #expect(try LeadingSocket(["--socket=/a", "ps"]).rest == ["ps"])
        #expect(try LeadingSocket(["ps", "--socket", "/a"]).path == nil)
        #expect(throws: CarpelError.self) { try LeadingSocket(["--socket"]) }
    }

    @Test func everyCommandsHelpShowsAnExample() {
        for command in Self.leaves(of: CarpelCommand.self) {
            #expect(command.configuration.discussion.contains("Example"), "\(command)")
        }
    }

    private static func leaves(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let configuration = command.configuration
        let children = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
        return [command] + children.flatMap(leaves)
    }
}
