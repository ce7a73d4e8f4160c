import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Runs a command in a running container.",
        discussion: """
            Waits for the command, prints what it wrote (at most 16 MiB of each stream) and exits with its exit code; \
            with 125 if it could not be run. It has no stdin and no terminal.

            Examples:
              carpel exec web cat /etc/hostname
              carpel exec --timeout 5 web/probe sh -c 'echo $HOSTNAME'
            """)

    @Option(help: ArgumentHelp("Kill the command after so many seconds; 0 waits for ever.", valueName: "seconds"))
    var timeout: Int64 = 0

    @OptionGroup var daemon: DaemonOptions

    @Argument(help: ArgumentHelp("A container, or a pod that has but one.", valueName: "name-or-id"))
    var container: String

    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String]

    func validate() throws {
        if timeout < 0 { throw ValidationError("--timeout is a number of seconds, 0 or more") }
    }

    func run() async throws {
        let response = try await failingAsOwn {
            let client = try await daemon.connect()
            let found = try await Inventory.load(from: client).container(container)
            let request = ExecSyncRequest {
                $0.containerId = found.id
                $0.cmd = command.first == "--" ? Array(command.dropFirst()) : command
                $0.timeout = timeout
            }
            return try await client.call(Methods.execSync, request)
        }
        Console.write(response.stdout, to: STDOUT_FILENO)
        Console.write(response.stderr, to: STDERR_FILENO)
        if response.exitCode != 0 { throw ExitCode(response.exitCode) }
    }
}
