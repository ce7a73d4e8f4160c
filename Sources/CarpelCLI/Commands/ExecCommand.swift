import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Runs a command in a running container.",
        discussion: """
            Exits with the command's exit code; with 125 if it could not be run or took too long, 126 if it is not \
            executable and 127 if it is not there. Output comes as it is written, byte for byte. The command ends with \
            this one.

            With -i the command reads this one's stdin, with -t it has a terminal; -it is for a shell. The command has \
            the container's user, folder and environment: `sh -c 'cd /srv && NAME=value …'` has others.

            Examples:
              carpel exec web cat /etc/hostname
              carpel exec -it web sh
              tar -c src | carpel exec -i web tar -x -C /srv
              carpel exec --timeout 5 web/probe sh -c 'echo $HOSTNAME'
            """)

    @Flag(name: .shortAndLong, help: "Hand this command's stdin to the command.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "Give the command a terminal.")
    var tty = false

    @Option(help: ArgumentHelp("Kill the command after so many seconds; 0 waits for ever.", valueName: "seconds"))
    var timeout: Int64 = 0

    @OptionGroup var daemon: DaemonOptions

    @Argument(
        help: ArgumentHelp("A container, such as web/probe, or a pod that has but one.", valueName: "name-or-id"),
        completion: .container)
    var container: String

    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String]

    func validate() throws {
        if timeout < 0 || timeout > 1 << 31 { throw ValidationError("--timeout is a number of seconds, 0 or more") }
    }

    func run() async throws {
        let ending = try await failingAsOwn {
            guard timeout > 0 else { return try await exec() }
            return try await withDeadline(.seconds(timeout), reason: "execTimeout", "the command") { try await exec() }
        }
        if case .exited(let code) = ending, code != 0 { throw ExitCode(code) }
    }

    private func exec() async throws -> StreamSession.Ending {
        let client = try await daemon.connect()
        let found = try await Inventory.load(from: client).container(container)
        let request = ExecRequest {
            $0.containerId = found.id
            $0.cmd = command.first == "--" ? Array(command.dropFirst()) : command
            $0.tty = tty
            $0.stdin = interactive
            $0.stdout = true
            $0.stderr = !tty
        }
        let stream = try await client.openStream(url: try await client.call(Methods.exec, request).url)
        return try await StreamSession(stream: stream, stdin: interactive, tty: tty).runInterruptibly()
    }
}
