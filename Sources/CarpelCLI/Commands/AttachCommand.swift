import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Connects this terminal to a container's own process.",
        discussion: """
            Prints what the container writes from now on (`carpel logs` has what it wrote before), and hands it this \
            command's stdin if it was made with --interactive. Exits with the container's exit code when that exits. \
            The detach keys, and any other end of this command, leave the container running.

            Examples:
              carpel attach shell
              carpel attach --detach-keys ctrl-x web/main
              carpel attach --no-stdin web
            """)

    @Option(
        help: ArgumentHelp(
            "The keys that leave the container; \"\" for none.", valueName: "keys"))
    var detachKeys = DetachKeys.standard

    @Flag(help: "Only print what the container writes.")
    var noStdin = false

    @OptionGroup var daemon: DaemonOptions

    @Argument(
        help: ArgumentHelp("A container, such as web/probe, or a pod that has but one.", valueName: "name-or-id"),
        completion: .container)
    var container: String

    func run() async throws {
        let ending = try await failingAsOwn {
            let keys = try DetachKeys(detachKeys)
            let client = try await daemon.connect()
            let found = try await Inventory.load(from: client).container(container)
            let config = try await client.containerConfig(found.id)
            let session = try await client.attach(
                to: found.id, stdin: config.stdin && !noStdin, tty: config.tty, detachKeys: keys)
            return try await session.runInterruptibly()
        }
        switch ending {
        case .exited(let code): if code != 0 { throw ExitCode(code) }
        case .detached: Console.err("\ndetached; `carpel attach \(container)` comes back\n")
        }
    }
}
