import ArgumentParser
import CarpelCore
import Testing

@testable import CarpelCLI

struct ExitStatusTests {
    private static let codes: [(CarpelError, Int32)] = [
        (CarpelError(.notFound, "podNotFound", ""), 3),
        (CarpelError(.unavailable, "daemonNotRunning", ""), 4),
        (CarpelError(.unavailable, "connectionClosed", ""), 4),
        (CarpelError(.unavailable, "registryDown", ""), 1),
        (CarpelError(.invalidArgument, "invalidName", ""), 2),
        (CarpelError(.permissionDenied, "socketNotAllowed", ""), 5),
        (CarpelError(.failedPrecondition, "stillRunning", ""), 6),
        (CarpelError(.alreadyExists, "nameTaken", ""), 6),
        (CarpelError(.deadlineExceeded, "callTimeout", ""), 7),
        (CarpelError(.internal, "unexpected", ""), 1),
    ]

    @Test(arguments: codes)
    func anErrorsCodeDecidesTheExitCode(error: CarpelError, code: Int32) {
        #expect(ExitStatus(error).rawValue == code)
    }

    @Test func helpListsEveryExitCode() {
        let help = CarpelCommand.helpMessage()
        for status in ExitStatus.allCases { #expect(help.contains("\n  \(status.rawValue) ")) }
    }

    @Test func wrongUsageEndsWithTwo() async {
        #expect(await EntryPoint.run(arguments: ["ps", "--no-such-option"]) == 2)
        #expect(await EntryPoint.run(arguments: ["--socket"]) == 2)
    }

    @Test func aDaemonThatDoesNotAnswerEndsWithFour() async {
        #expect(await EntryPoint.run(arguments: ["ps", "--socket", "/nonexistent/carpel.sock"]) == 4)
    }

    @Test func execEndsWith125WhereItFailsItself() async {
        #expect(await EntryPoint.run(arguments: ["exec", "--socket", "/nonexistent/carpel.sock", "web", "ls"]) == 125)
    }
}
