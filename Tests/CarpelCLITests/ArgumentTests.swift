import ArgumentParser
import CarpelCore
import Testing

@testable import CarpelCLI

struct ArgumentTests {
    private func run(_ arguments: String...) async throws -> RunCommand {
        try #require(try await CarpelCommand.asyncParseAsRoot(["run"] + arguments) as? RunCommand)
    }

    @Test func whatFollowsTheImageIsTheContainers() async throws {
        let command = try await run("-d", "--name", "web", "busybox", "sh", "-c", "ls", "--rm", "--", "-d")
        #expect(command.image == "busybox")
        #expect(command.command == ["sh", "-c", "ls", "--rm", "--", "-d"])
        #expect(command.options.detach)
        #expect(!command.options.removeAtExit)
        #expect(command.options.name == "web")
    }

    @Test func optionsRepeat() async throws {
        let options = try await run("-e", "A=1", "--env", "B=2", "-l", "x=y", "--cap-add", "NET_RAW", "busybox").options
        #expect(options.env == ["A=1", "B=2"])
        #expect(options.label == ["x=y"])
        #expect(options.addedCapabilities == ["NET_RAW"])
        #expect(options.pull == .missing)
    }

    @Test func optionsThatContradictEachOtherAreRefused() async {
        await #expect(throws: (any Error).self) { try await run("-d", "--rm", "busybox") }
        await #expect(throws: (any Error).self) { try await run("--pod", "web", "--hostname", "x", "busybox") }
        await #expect(throws: (any Error).self) { try await CarpelCommand.asyncParseAsRoot(["rm"]) }
        await #expect(throws: (any Error).self) { try await CarpelCommand.asyncParseAsRoot(["rm", "--all", "web"]) }
    }

    @Test func execTakesItsOptionsBeforeTheContainerOnly() async throws {
        let parsed = try await CarpelCommand.asyncParseAsRoot(["exec", "--timeout", "5", "web", "ls", "--timeout", "6"])
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
