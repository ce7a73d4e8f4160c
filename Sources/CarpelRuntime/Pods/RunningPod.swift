import CarpelCore
import CarpelGuestProtocol
import CarpelMachines

/// What a ready pod owns: its machine and the connection to the agent in it.
struct RunningPod: Sendable {
    let machine: any Machine
    let guest: any Guest
}

/// The agent as the runtime sees it. `GuestConnection` is the real one.
protocol Guest: Sendable {
    associatedtype Exec: GuestExec

    @discardableResult
    func call(_ request: GuestRequest) async throws -> GuestResponse
    func exec(_ spec: ExecSpec) async throws -> Exec
    /// Ends when the container has exited and all that it wrote has been read.
    func output(of container: String, from sequence: UInt64) async throws -> AsyncThrowingStream<
        OutputRecord, any Error
    >
    func follow(_ container: String, from sequence: UInt64) async throws -> GuestOutput
    func attachInput(to container: String, closeAtEnd: Bool) async throws -> GuestInput
    func connect(port: UInt16) async throws -> GuestSocket
    var events: AsyncStream<GuestEvent> { get }
    var openStreams: Int { get }
    func waitUntilClosed() async
    func close() async
}

extension Guest {
    /// Asks a guest that may be hostile or stuck, and does not wait for ever.
    @discardableResult
    func ask(_ request: GuestRequest, within timeout: Duration = .seconds(30)) async throws -> GuestResponse {
        try await withDeadline(timeout, reason: "agentSilent", "the agent's answer") { try await call(request) }
    }
}

/// A process of an exec.
protocol GuestExec: Sendable {
    func collectOutput(limit: Int) async throws -> (stdout: [UInt8], stderr: [UInt8])
    func next() async throws -> GuestProcess.Chunk?
    func write(_ bytes: [UInt8]) async throws
    func closeInput() async throws
    func resize(rows: UInt16, columns: UInt16) async throws
    func exitStatus() async throws -> ExitStatus
    func signal(_ number: Int32) async throws
}

extension GuestConnection: Guest {}
extension GuestProcess: GuestExec {}
