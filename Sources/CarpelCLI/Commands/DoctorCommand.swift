import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks everything that a pod's start needs on this node.",
        discussion: """
            Exits with 1 if a check failed, with 4 if the daemon does not answer.

            Example:
              carpel doctor
            """)

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let checks: [DoctorCheck]
        do {
            checks = try await daemon.connect().call(Methods.doctor, DoctorRequest(), timeout: .seconds(120)).checks
        } catch let error as CarpelError where ExitStatus(error) == .daemonUnavailable {
            Console.out(DaemonAbsence(socketPath: daemon.socketPath).advice)
            throw error
        }
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
        No daemon answers, so the node cannot be checked. Look at these:
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
