import CarpelCore
import Foundation
import Logging
import NIOCore
import Subprocess
import Synchronization

/// One process of carpel-plugin-host with its plugin, ready for calls.
final class HostProcess: Sendable {
    let processID: Int32
    /// Of the interface that the library was compiled with.
    let apiVersion: Int
    let startDuration: Duration
    /// Which limits are not in force, and why.
    let limitsMissing: [String]

    private let plugin: String
    private let grace: Duration
    private let connection: HostConnection
    private let exit: HostExit

    private init(
        _ launch: HostLaunch, _ connection: HostConnection, _ exit: HostExit, processID: Int32, apiVersion: Int,
        startDuration: Duration, limitsMissing: [String]
    ) {
        plugin = launch.manifest.name
        grace = launch.hosting.limits.grace
        self.connection = connection
        self.exit = exit
        self.processID = processID
        self.apiVersion = apiVersion
        self.startDuration = startDuration
        self.limitsMissing = limitsMissing
        watchConnection()
    }

    /// Starts a host, confines it and loads the plugin.
    ///
    /// Nothing is left if it throws or the task is cancelled.
    /// - Throws: `CarpelError`: why the host cannot start, or the plugin's own words.
    static func start(_ launch: HostLaunch) async throws -> HostProcess {
        let begin = ContinuousClock.now
        let message = try launch.message()
        let log = HostLog(logger: launch.logger)
        let (connection, exit, processID) = try await spawn(launch, log)
        let group = HostControlGroup(for: processID, of: launch.manifest.name, limits: launch.hosting.limits)
        exit.cleanUp(group)
        do {
            let started = try await withDeadline(
                launch.hosting.limits.start, reason: "pluginStartTimeout", "the start of the plugin"
            ) {
                try await withTaskCancellationHandler {
                    try await answer(to: message, connection, exit, launch)
                } onCancel: {
                    exit.kill(because: "it took too long to start")
                }
            }
            return HostProcess(
                launch, connection, exit, processID: processID, apiVersion: started.abiVersion,
                startDuration: ContinuousClock.now - begin, limitsMissing: group.missing)
        } catch {
            connection.close()
            exit.kill(because: "it could not start")
            _ = await exit.end()
            throw error
        }
    }

    private static func answer(
        to message: StartMessage, _ connection: HostConnection, _ exit: HostExit, _ launch: HostLaunch
    ) async throws -> StartedAnswer {
        let reply: Data
        do {
            reply = try await connection.exchange(message, method: "start")
        } catch let error as CarpelError where error.reason == "connectionClosed" {
            throw CarpelError(
                .unavailable, "pluginDied", "the host died while it loaded the plugin: \(await exit.end().description)")
        }
        switch try JSONDecoder().decode(Reply<PluginAnswer<StartedAnswer>>.self, from: reply).result {
        case .error(let error): throw CarpelError(error, of: launch.manifest.name)
        case .result(let started):
            guard launch.manifest.api.contains(started.abiVersion) else {
                throw CarpelError(
                    .failedPrecondition, "apiNotInManifest",
                    "the library was made for version \(started.abiVersion) of the plugin interface, "
                        + "which is not in the manifest's api", field: "api")
            }
            return started
        }
    }

    struct Reply<Result: Decodable>: Decodable {
        let result: Result
    }
}

extension HostProcess {
    /// Calls the plugin.
    ///
    /// When the caller is cancelled or the time is up, this returns at once and the plugin is told; a plugin that does not
    /// end the call within the grace is killed.
    /// - Returns: the plugin's answer.
    /// - Throws: `CarpelError`, see ``NetworkCalls``.
    func call(_ verb: String, _ body: CallBody, timeout: Duration) async throws -> Data {
        let id = connection.nextID()
        let line = try message(id, verb, body, timeout)
        let call = CallInFlight()
        connection.send(line, id: id, method: verb) { [self] reply in
            switch reply {
            case .success(let line): call.end(.success(line))
            case .failure(let error): Task { call.end(.failure(await failure(error, verb))) }
            }
        }
        do {
            let reply = try await call.wait(atMost: timeout, "\(verb) of the plugin \(plugin)")
            return try answer(in: reply, verb)
        } catch let error as CallInFlight.GivenUp {
            connection.cancel(call: id)
            call.unlessEnded(within: grace) { [exit, grace] in
                exit.kill(because: "it did not end \(verb) within \(grace) after it was to")
            }
            throw error.error
        }
    }

    /// Calls the plugin and waits for its own answer, however long it takes, for who checks plugins: cancelling the task
    /// tells the plugin, and no more.
    func callToTheEnd(_ verb: String, _ body: CallBody, timeout: Duration) async throws -> Data {
        let id = connection.nextID()
        let line = try message(id, verb, body, timeout)
        do {
            let reply = try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    connection.send(line, id: id, method: verb) { continuation.resume(with: $0) }
                    // A cancellation that came first was for a call that the host did not know yet.
                    if Task.isCancelled { connection.cancel(call: id) }
                }
            } onCancel: {
                connection.cancel(call: id)
            }
            return try answer(in: reply, verb)
        } catch {
            throw await failure(error, verb)
        }
    }

    private func message(_ id: Int64, _ verb: String, _ body: CallBody, _ timeout: Duration) throws -> Data {
        let deadline = monotonicNanoseconds() &+ UInt64(clamping: timeout.nanoseconds)
        let name = try JSONEncoder().encode(verb)
        var line = Data(#"{"jsonrpc":"2.0","id":\#(id),"method":"call","params":{"deadline":\#(deadline),"verb":"#.utf8)
        line += name
        switch body {
        case .json(let request): line += Data(#","request":"#.utf8) + request
        case .bytes(let bytes): line += Data(#","requestBytes":"\#(bytes.hexadecimal)""#.utf8)
        }
        line += Data("}}".utf8)
        return line
    }

    /// The plugin's answer within the host's, cut out and not decoded: the host begins all of them alike.
    private func answer(in reply: Data, _ verb: String) throws -> Data {
        guard let start = reply.firstRange(of: Data(#""result":"#.utf8))?.upperBound, reply.last == UInt8(ascii: "}")
        else {
            throw CarpelError(
                .internal, "unreadableAnswer",
                "the host of the plugin \(plugin) has answered \(verb) without a result: is it this daemon's version?")
        }
        return reply[start..<reply.index(before: reply.endIndex)]
    }

    private func failure(_ error: any Error, _ verb: String) async -> CarpelError {
        guard let error = error as? CarpelError else {
            return CarpelError.wrapping(error, during: "call \(verb) of the plugin \(plugin)")
        }
        guard error.reason == "connectionClosed" || error.reason == "unreadableAnswer" else {
            return CarpelError(error.code, error.reason, "plugin \(plugin): \(error.message)")
        }
        // After what is no JSON-RPC nothing that comes can be trusted.
        connection.close()
        return CarpelError(
            .unavailable, "pluginDied", "the plugin \(plugin) died in \(verb): \(await exit.end().description)")
    }

    /// Waits for the end of the process.
    func end() async -> HostExit.End { await exit.end() }

    /// Ends the host: its calls are cancelled and have the grace to end.
    func close() async {
        connection.close()
        _ = await exit.end()
    }

    /// What a host sees of a daemon that has died.
    func loseConnection() { connection.close() }

    /// A host ends by itself when its socket is closed; one that cannot is killed.
    private func watchConnection() {
        Task { [connection, exit, grace] in
            await connection.closed()
            let timer = Task {
                // The host has a limit of its own, which should come first.
                try await Task.sleep(for: grace + .seconds(1))
                exit.kill(because: "it did not end within \(grace) after its socket was closed")
            }
            _ = await exit.end()
            timer.cancel()
        }
    }

    func kill(because cause: String) { exit.kill(because: cause) }

    /// What the process has in memory; nil if it has ended.
    var residentMemory: ByteCount? {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8) else { return nil }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
        return pages.map { ByteCount($0 * Int64(sysconf(Int32(_SC_PAGESIZE)))) }
    }
}
