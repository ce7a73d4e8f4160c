import ArgumentParser
import CarpelCore
import Foundation

/// Where `carpel` starts and ends.
public enum EntryPoint {
    /// Runs the command that `arguments` name, and reports its failure on stderr.
    ///
    /// - Returns: the process's exit code.
    public static func run(arguments: [String]) async -> Int32 {
        do {
            var command = try await CarpelCommand.asyncParseAsRoot(takingLeadingSocket(from: arguments))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitStatus.success.rawValue
        } catch {
            return report(error)
        }
    }

    /// `carpel --socket PATH COMMAND` means what `CARPEL_SOCKET=PATH carpel COMMAND` does.
    private static func takingLeadingSocket(from arguments: [String]) throws -> [String] {
        let leading = try LeadingSocket(arguments)
        if let path = leading.path { setenv(DaemonOptions.environmentVariable, path, 1) }
        return leading.rest
    }

    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let exit as ExitCode:
            return exit.rawValue
        case let reported as AlreadyReported:
            return reported.status
        case let failure as CommandFailure:
            Console.complain(failure.error.message)
            return failure.status
        case let error as CarpelError:
            Console.complain(error.message)
            return ExitStatus(error).rawValue
        default:
            return reportParsing(error)
        }
    }

    /// What the argument parser throws: help and completion scripts that were asked for, wrong usage, or a stray error.
    private static func reportParsing(_ error: any Error) -> Int32 {
        let code = CarpelCommand.exitCode(for: error)
        let message = CarpelCommand.fullMessage(for: error)
        if code == .success {
            Console.out(message + "\n")
            return code.rawValue
        }
        let label = "Error: "
        Console.complain(message.hasPrefix(label) ? String(message.dropFirst(label.count)) : message)
        return code == .validationFailure ? ExitStatus.usage.rawValue : ExitStatus.failure.rawValue
    }
}

/// A failure whose exit code is not the one that its error would have.
struct CommandFailure: Error {
    let error: CarpelError
    let status: Int32
}

/// `--socket PATH` in front of the command.
struct LeadingSocket {
    let path: String?
    let rest: [String]

    init(_ arguments: [String]) throws {
        let option = "--socket"
        guard let first = arguments.first, first == option || first.hasPrefix(option + "=") else {
            (path, rest) = (nil, arguments)
            return
        }
        if first != option {
            (path, rest) = (String(first.dropFirst(option.count + 1)), Array(arguments.dropFirst()))
        } else if arguments.count > 1 {
            (path, rest) = (arguments[1], Array(arguments.dropFirst(2)))
        } else {
            throw CarpelError(.invalidArgument, "invalidOption", "--socket needs the path of the daemon's socket")
        }
    }
}
