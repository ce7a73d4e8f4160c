import ArgumentParser
import CarpelAPI
import CarpelClient
import Foundation

/// Which daemon to speak to.
struct DaemonOptions: ParsableArguments {
    static let environmentVariable = "CARPEL_SOCKET"

    @Option(
        help: ArgumentHelp(
            "The daemon's socket.",
            discussion: "Without it $\(environmentVariable), and without that \(CarpelVersion.defaultSocket).",
            valueName: "path"),
        completion: .file())
    var socket: String?

    /// The socket's path: the option, the environment's, or the default.
    var socketPath: String { Self.socketPath(given: socket) }

    static func socketPath(given option: String?) -> String {
        let fromEnvironment = ProcessInfo.processInfo.environment[environmentVariable]
        return option ?? fromEnvironment.flatMap { $0.isEmpty ? nil : $0 } ?? CarpelVersion.defaultSocket
    }

    func connect() async throws -> CarpelClient {
        try await CarpelClient.connect(socketPath: socketPath)
    }
}
