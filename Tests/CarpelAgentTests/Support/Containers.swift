import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import TestSupport
import Testing

/// What containerd gives a container by default.
let defaultCapabilities: UInt64 = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31].reduce(0) { $0 | 1 << $1 }

let defaultMaskedPaths = ["/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/nothing-here"]
let defaultReadOnlyPaths = ["/proc/sys", "/proc/bus"]

extension ContainerSpec {
    /// A container that runs a shell command.
    static func shell(_ command: String, id: String = "c-\(UUID().uuidString.prefix(8))") -> ContainerSpec {
        program(["sh", "-c", command], id: id)
    }

    static func program(_ arguments: [String], id: String = "c-\(UUID().uuidString.prefix(8))") -> ContainerSpec {
        var process = ProcessSpec(arguments: arguments, environment: ["PATH=/bin"])
        process.capabilities = defaultCapabilities
        var spec = ContainerSpec(id: id, layers: [TestMachine.baseLayer], process: process)
        spec.maskedPaths = defaultMaskedPaths
        spec.readOnlyPaths = defaultReadOnlyPaths
        return spec
    }
}

extension ExecSpec {
    static func shell(_ command: String, in container: String, stdin: Bool = false) -> ExecSpec {
        var process = ProcessSpec(arguments: ["sh", "-c", command], environment: ["PATH=/bin"])
        process.capabilities = defaultCapabilities
        return ExecSpec(id: "e-\(UUID().uuidString.prefix(8))", container: container, process: process, stdin: stdin)
    }
}

struct Finished {
    var status: CarpelGuestProtocol.ExitStatus
    var stdout: String
    var stderr: String
}

extension GuestConnection {
    func start(_ spec: ContainerSpec) async throws {
        try await call(.createContainer(spec))
        try await call(.startContainer(id: spec.id))
    }

    /// Creates, starts and removes a container, and waits for its end in between.
    func run(_ spec: ContainerSpec) async throws -> Finished {
        do {
            try await start(spec)
            let finished = try await finish(spec.id)
            try await call(.removeContainer(id: spec.id))
            return finished
        } catch {
            try await call(.removeContainer(id: spec.id))
            throw error
        }
    }

    /// Reads a started container's output to its end.
    func finish(_ id: String) async throws -> Finished {
        var outputs: [OutputRecord.Channel: [UInt8]] = [:]
        for try await record in try await output(of: id, from: 0) {
            outputs[record.channel, default: []] += record.bytes
            try await call(.releaseOutput(container: id, before: record.sequence + 1))
        }
        return Finished(
            status: try await exitStatus(of: id), stdout: String(decoding: outputs[.stdout] ?? [], as: UTF8.self),
            stderr: String(decoding: outputs[.stderr] ?? [], as: UTF8.self))
    }

    func phase(of id: String) async throws -> GuestState.Container.Phase? {
        guard case .state(let state) = try await call(.state) else { throw SupportError("no state") }
        return state.containers.first { $0.id == id }?.phase
    }

    /// Of a container that has exited.
    func exitStatus(of id: String) async throws -> CarpelGuestProtocol.ExitStatus {
        guard case .exited(let status, _) = try await phase(of: id) else { throw SupportError("\(id) has not exited") }
        return status
    }

    /// How many processes of the container have `text` in their command line.
    func count(_ text: String, in container: String) async throws -> Int {
        let pattern = text.dropLast() + "[\(text.suffix(1))]"
        let found = try await run(.shell("ps -o args | grep -c '\(pattern)'", in: container)).stdout
        return try #require(Int(found.dropLast()))
    }

    func run(_ spec: ExecSpec, input: [UInt8] = []) async throws -> Finished {
        let process = try await exec(spec)
        if spec.stdin {
            try await process.write(input)
            try await process.closeInput()
        }
        let (stdout, stderr) = try await process.collectOutput(limit: 1 << 20)
        return Finished(
            status: try await process.exitStatus(), stdout: String(decoding: stdout, as: UTF8.self),
            stderr: String(decoding: stderr, as: UTF8.self))
    }
}

/// Runs a shell command in a container of the suite's machine.
func run(_ command: String, _ change: (inout ContainerSpec) -> Void = { _ in }) async throws -> Finished {
    var spec = ContainerSpec.shell(command)
    change(&spec)
    return try await sharedGuest().run(spec)
}

func sharedGuest() throws -> GuestConnection { try #require(TestMachine.shared).guest }

/// The reason of the failure that `body` ends with.
func failure<Value>(_ body: () async throws -> Value) async -> GuestFailure.Reason? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? GuestFailure)?.reason
    }
}
