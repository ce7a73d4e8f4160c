import ArgumentParser
import CarpelAPI
import CarpelCore
import CarpelRuntime
import CarpelServer
import Foundation
import Logging
import ServiceLifecycle
import Yams

@main
struct Carpeld: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carpeld",
        abstract: "Runs every pod in a virtual machine of its own, and speaks CRI in JSON on a Unix socket.",
        discussion: """
            Machines outlive the daemon: when it is stopped, killed or upgraded they run on, and the next
            start with the same --root picks them up. Ask `carpel doctor` when a start fails.

              carpeld --root /var/lib/carpel --state /run/carpel --config /etc/carpel/carpeld.yaml
            """,
        version: CarpelVersion.runtime)

    @Option(help: "Where images, disks and records are kept.")
    var root = NodePaths.defaultRoot

    @Option(help: "Where sockets are; may be gone after a reboot.")
    var state = NodePaths.defaultState

    @Option(help: "The configuration (YAML, version 1). Without it every default holds.")
    var config: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    @Flag(help: "Check whether this node can run pods, print a DoctorResponse and exit; `carpel doctor` reads it.")
    var check = false

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        raiseDescriptorLimit()
        let logger = makeLogger()
        do {
            let paths = NodePaths(root: try absolute(root), state: try absolute(state))
            let configuration = try readConfiguration()
            if check { return try await printChecks(NodeChecks(paths: paths, configuration: configuration)) }
            let lock = try DaemonLock(paths)
            try await serve(paths, configuration, logger)
            withExtendedLifetime(lock) {}
        } catch let error as CarpelError {
            logger.critical(
                "\(error.message)", metadata: ["code": "\(error.code.rawValue)", "reason": "\(error.reason)"])
            throw ExitCode.failure
        }
    }

    private func printChecks(_ checks: NodeChecks) async throws {
        let response = DoctorResponse { [found = await checks.run()] in $0.checks = found }
        print(String(decoding: try JSONEncoder().encode(response), as: UTF8.self))
    }

    private func makeLogger() -> Logger {
        var logger = Logger(label: "carpeld") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        return logger
    }

    private func absolute(_ path: String) throws -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    private func readConfiguration() throws -> DaemonConfiguration {
        guard let config else { return DaemonConfiguration() }
        do {
            let text = try String(contentsOfFile: config, encoding: .utf8)
            return try YAMLDecoder().decode(DaemonConfiguration.self, from: text)
        } catch let error as CarpelError {
            throw error.during("read \(config)")
        } catch {
            throw CarpelError(.invalidArgument, "configurationInvalid", "cannot read \(config): \(error)")
        }
    }

    private func serve(_ paths: NodePaths, _ configuration: DaemonConfiguration, _ logger: Logger) async throws {
        let runtime = try await Runtime.start(paths: paths, configuration: configuration, logger: logger)
        let server = try await Server(
            path: paths.socket, runtime: runtime, configuration: configuration.socket, logger: logger)
        logger.info("ready", metadata: ["socket": "\(paths.socket)", "version": "\(CarpelVersion.runtime)"])
        let group = ServiceGroup(
            services: [SocketService(server: server)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
        await runtime.close()
        logger.info("stopped; machines run on")
    }
}

/// The socket as a service: a signal ends it, and with it the daemon.
private struct SocketService: Service, CustomStringConvertible {
    let server: Server
    let description = "socket"

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await server.run() }
        } catch is CancellationError {
            // That is how it ends.
        }
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
