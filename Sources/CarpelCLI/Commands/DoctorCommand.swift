import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks everything that a pod's start needs on this node.",
        discussion: """
            The daemon checks its own node; where none answers, `carpeld --check` does it with the same options
            as the daemon would be started with. Exits with 1 if a check failed, with 4 if no daemon answers.

            Examples:
              carpel doctor
              carpel doctor --config /etc/carpel/carpeld.yaml
            """)

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    @Option(help: ArgumentHelp("The root of a daemon that does not run.", valueName: "folder"))
    var root: String?

    @Option(help: ArgumentHelp("The state folder of a daemon that does not run.", valueName: "folder"))
    var state: String?

    @Option(help: ArgumentHelp("The configuration of a daemon that does not run.", valueName: "file"))
    var config: String?

    func run() async throws {
        do {
            let answer = try await daemon.connect().call(Methods.doctor, DoctorRequest(), timeout: .seconds(120))
            try report(answer.checks)
        } catch let error as CarpelError where ExitStatus(error) == .daemonUnavailable {
            Console.err(DaemonAbsence(socketPath: daemon.socketPath).advice)
            try report(try DaemonCheck(root: root, state: state, config: config).run())
            throw error
        }
    }

    private func report(_ checks: [DoctorCheck]) throws {
        try list.print(checks) { Self.report(checks, style: .of(STDOUT_FILENO)) }
        if checks.contains(where: { $0.outcome == .FAILED }) { throw ExitCode(ExitStatus.failure.rawValue) }
    }

    /// The table, and below it what to do.
    static func report(_ checks: [DoctorCheck], style: Style) -> String {
        var table = TextTable(.left("CHECK"), .left("OUTCOME"), .left("FINDING"))
        for check in checks {
            let outcome = TextTable.Cell(check.outcome.rawValue.lowercased(), paint: paint(check.outcome, style))
            table.add("\(check.name)", outcome, "\(check.finding)")
        }
        let fixes = checks.filter { !$0.fix.isEmpty }.map { "\($0.name): \($0.fix)\n" }
        return table.text + (fixes.isEmpty ? "" : "\nTo do:\n" + fixes.map { "  \($0)" }.joined())
    }

    private static func paint(_ outcome: DoctorCheck.Outcome, _ style: Style) -> (String) -> String {
        switch outcome {
        case .PASSED: style.green
        case .WARNING: style.yellow
        case .FAILED: style.red
        }
    }
}

/// What to look at when no daemon answers.
struct DaemonAbsence {
    let socketPath: String

    var advice: String {
        """
        No daemon answers. Look at these:
          \(socket)
          - is carpeld running? `pgrep -a carpeld`
          - does it start? run `carpeld` as root and read its first lines
          - does it use another socket? name it with --socket or CARPEL_SOCKET


        """
    }

    private var socket: String {
        var status = stat()
        guard stat(socketPath, &status) == 0 else {
            return "- the socket \(socketPath) does not exist: the daemon has not started, or uses another one"
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return "- \(socketPath) exists but is no socket" }
        return "- the socket \(socketPath) exists, but nothing listens on it: the daemon has ended"
    }
}
