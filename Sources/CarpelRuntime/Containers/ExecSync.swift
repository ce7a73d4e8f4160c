import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import Foundation

extension PodSandbox {
    /// Bytes of each of stdout and stderr that are kept. Source: CRI, ExecSyncResponse.
    private static let outputLimit = 16 << 20
    private static let startTimeout = Duration.seconds(30)

    /// Runs a command in a running container and waits for its end.
    ///
    /// - Throws: `DEADLINE_EXCEEDED` after `timeoutSeconds`; the command has been killed then.
    func execSync(_ id: String, command: [String], timeoutSeconds: Int64) async throws -> ExecSyncResponse {
        try requireRunning(id)
        let record = try container(id).record
        let guest = try running().guest
        let spec = ExecSpec(
            id: makeID(), container: id, process: execProcess(command: command, container: try record.guestSpec()),
            stdin: false)
        do {
            return try await run(spec, on: guest, timeoutSeconds: timeoutSeconds)
        } catch let failure as GuestFailure {
            return try .init(failure, command: command)
        } catch {
            throw CarpelError.wrapping(error, during: "run \(command.first ?? "") in the container")
        }
    }

    private nonisolated func run(
        _ spec: ExecSpec, on guest: any Guest, timeoutSeconds: Int64
    ) async throws -> ExecSyncResponse {
        let process = try await withDeadline(Self.startTimeout, reason: "agentSilent", "the agent's answer") {
            try await guest.exec(spec)
        }
        let finish: @Sendable () async throws -> ExecSyncResponse = {
            let (stdout, stderr) = try await process.collectOutput(limit: Self.outputLimit)
            let status = try await process.exitStatus()
            return ExecSyncResponse {
                $0.stdout = Data(stdout)
                $0.stderr = Data(stderr)
                $0.exitCode = status.code
            }
        }
        do {
            guard timeoutSeconds > 0 else { return try await finish() }
            return try await withDeadline(
                .seconds(min(timeoutSeconds, 1 << 31)), reason: "execTimeout", "the command", operation: finish)
        } catch {
            Task { try await process.signal(9) }
            throw error
        }
    }
}

extension ExecSyncResponse {
    /// What a shell would answer for a command that cannot be started; any other failure is thrown.
    init(_ failure: GuestFailure, command: [String]) throws {
        let error = failure.error(during: "run \(command.first ?? "") in the container")
        let code: Int32
        switch failure.reason {
        case .commandNotFound: code = 127
        case .commandNotExecutable: code = 126
        default: throw error
        }
        self.init {
            $0.exitCode = code
            $0.stderr = Data((error.message + "\n").utf8)
        }
    }
}
